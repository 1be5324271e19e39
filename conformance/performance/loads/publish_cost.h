// What a publish costs its process while subscribers are there that take nothing: they are attached, drop the oldest,
// and live in the opposite process, which sleeps.
//
// One loan and one publish, payload untouched, in processor time, since nobody answers.
#pragma once

#include <memory>
#include <vector>

#include "conformance/performance/batches.h"
#include "conformance/performance/loads/load.h"
#include "conformance/performance/meeting.h"
#include "conformance/performance/peers/peer.h"
#include "conformance/performance/process_pair.h"

namespace weir::performance {

template <FanOutPeer Carrier>
[[nodiscard]] Roles publish_cost(std::shared_ptr<const Carrier> carrier, Message message, std::uint64_t subscribers,
                                 Budget budget) {
  constexpr std::uint64_t batch_size = 2000;
  const auto meeting = std::make_shared<const Meeting>();

  const auto measure = [=] {
    auto sender = carrier->sender(Direction::there);
    meeting->meet();
    sender.await_receivers(subscribers);
    std::uint64_t number = 0;
    const auto batch = [&] {
      for (const std::uint64_t end = number + batch_size; number < end; ++number) {
        send(sender, message, number);
      }
    };
    const double time = median_within(budget, [&] { return time_of(processor_nanoseconds, batch) / batch_size; });
    meeting->finish();
    return time;
  };

  const auto oppose = [=] {
    std::vector<decltype(carrier->receiver(Direction::there))> receivers;
    receivers.reserve(subscribers);
    while (receivers.size() < subscribers) {
      receivers.push_back(carrier->receiver(Direction::there));
    }
    meeting->meet();
    meeting->wait_for_finish();
  };
  return {measure, oppose};
}

}  // namespace weir::performance
