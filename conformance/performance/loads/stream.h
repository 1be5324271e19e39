// Time for each message in a stream from one sender to one receiver that loses
// nothing, both as fast as they can.
#pragma once

#include <memory>

#include "conformance/performance/loads/exchange.h"

namespace weir::performance {

template <Carrier Type>
[[nodiscard]] Crew stream_crew(const std::shared_ptr<const Type>& carrier, const Task& task) {
  // Several times what a queue holds, so that a batch is not what had gathered
  // in it meanwhile.
  const std::uint64_t batch_size = (task.message.size <= 4096 ? 16 : 4) * depth_for(task);
  const auto meeting = std::make_shared<const Meeting>();

  const auto measure = [=] {
    auto receiver = carrier->receiver(there);
    meeting->meet();
    std::uint64_t number = 0;
    const auto batch = [&] {
      for (const std::uint64_t end = number + batch_size; number < end; ++number) {
        receive(receiver, task, number);
      }
    };
    const double figure =
        median_within(task.budget, [&] { return time_of(wall_nanoseconds, batch) / static_cast<double>(batch_size); });
    meeting->finish();
    do {
      receive(receiver, task, number);
    } while (!meeting->is_last(number++));
    meeting->leave();
    return Measurement{.figure = figure};
  };

  const auto send_all = [=] {
    auto sender = carrier->sender(there);
    meeting->meet();
    sender.await_receivers(1);
    std::uint64_t number = 0;
    for (; !meeting->finished(); ++number) {
      send(sender, task.message, number);
    }
    meeting->announce_last(number);
    send(sender, task.message, number);
    meeting->wait_for_leaving(1);
  };
  return {.measure = measure, .others = {send_all}};
}

}  // namespace weir::performance
