// What a publish costs its process while subscribers are there that take
// nothing: they are attached, drop the oldest, and live in the opposite
// process, which sleeps.
//
// One loan and one publish, payload untouched, in processor time, since nobody
// answers.
#pragma once

#include <memory>
#include <vector>

#include "conformance/performance/loads/exchange.h"

namespace weir::performance {

template <Carrier Type>
[[nodiscard]] Crew publish_cost_crew(const std::shared_ptr<const Type>& carrier, const Task& task) {
  constexpr std::uint64_t batch_size = 1000;
  const auto meeting = std::make_shared<const Meeting>();

  const auto measure = [=] {
    auto sender = carrier->sender(there);
    meeting->meet();
    sender.await_receivers(task.others);
    std::uint64_t number = 0;
    const auto batch = [&] {
      for (const std::uint64_t end = number + batch_size; number < end; ++number) {
        send(sender, task.message, number);
      }
    };
    const double figure =
        median_within(task.budget, [&] { return time_of(processor_nanoseconds, batch) / batch_size; });
    meeting->finish();
    return Measurement{.figure = figure};
  };

  const auto oppose = [=] {
    std::vector<decltype(carrier->receiver(there))> receivers;
    receivers.reserve(task.others);
    while (receivers.size() < task.others) {
      receivers.push_back(carrier->receiver(there));
    }
    meeting->meet();
    meeting->wait_for_finish();
  };
  return {.measure = measure, .others = {oppose}};
}

}  // namespace weir::performance
