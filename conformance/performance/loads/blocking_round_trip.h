// A message goes there and another comes back, both sides asleep while there is nothing for them.
//
// With a pause before each round trip the opposite side is sure to be asleep when the message comes, and one that spins
// for a while first has given that up; without one, a peer that expects the next message at once may do without
// sleeping.
#pragma once

#include <memory>

#include "conformance/performance/batches.h"
#include "conformance/performance/loads/load.h"
#include "conformance/performance/meeting.h"
#include "conformance/performance/peers/peer.h"
#include "conformance/performance/process_pair.h"

namespace weir::performance {

// `pause`: of the measuring side before each round trip, which it spends spinning; not in the figure.
template <WaitingPeer Carrier>
[[nodiscard]] Roles blocking_round_trip(std::shared_ptr<const Carrier> carrier, Message message,
                                        std::chrono::nanoseconds pause, Budget budget) {
  const auto meeting = std::make_shared<const Meeting>();
  const auto await = [message](auto& receiver, std::uint64_t number) {
    while (!try_receive(receiver, message, number)) {
      receiver.wait();
    }
  };

  const auto measure = [=] {
    auto sender = carrier->sender(Direction::there);
    auto receiver = carrier->receiver(Direction::back);
    meeting->meet();
    sender.await_receiver();
    std::uint64_t number = 0;
    const auto round_trip = [&] {
      send(sender, message, number);
      await(receiver, number);
      ++number;
    };
    const double time = median_within(budget, [&] {
      const double resume = wall_nanoseconds() + std::chrono::duration<double, std::nano>(pause).count();
      while (wall_nanoseconds() < resume) {
      }
      return time_of(wall_nanoseconds, round_trip);
    });
    meeting->finish();
    send(sender, message, number);
    return time;
  };

  const auto oppose = [=] {
    auto receiver = carrier->receiver(Direction::there);
    auto sender = carrier->sender(Direction::back);
    meeting->meet();
    sender.await_receiver();
    for (std::uint64_t number = 0;; ++number) {
      await(receiver, number);
      if (meeting->finished()) {
        return;
      }
      send(sender, message, number);
    }
  };
  return {measure, oppose};
}

}  // namespace weir::performance
