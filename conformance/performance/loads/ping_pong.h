// One-way time: a message goes there and another comes back, both sides spinning; half of the round trip.
#pragma once

#include <memory>

#include "conformance/performance/batches.h"
#include "conformance/performance/loads/load.h"
#include "conformance/performance/meeting.h"
#include "conformance/performance/peers/peer.h"
#include "conformance/performance/process_pair.h"

namespace weir::performance {

template <Peer Carrier>
[[nodiscard]] Roles ping_pong(std::shared_ptr<const Carrier> carrier, Message message, Budget budget) {
  constexpr std::uint64_t batch_size = 100;  // round trips
  const auto meeting = std::make_shared<const Meeting>();

  const auto measure = [=] {
    auto sender = carrier->sender(Direction::there);
    auto receiver = carrier->receiver(Direction::back);
    meeting->meet();
    sender.await_receiver();
    std::uint64_t number = 0;
    const auto round_trip = [&] {
      send(sender, message, number);
      while (!try_receive(receiver, message, number)) {
      }
      ++number;
    };
    const auto batch = [&] {
      for (std::uint64_t trip = 0; trip < batch_size; ++trip) {
        round_trip();
      }
    };
    const double time = median_within(budget, [&] { return time_of(wall_nanoseconds, batch) / (2.0 * batch_size); });
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
      while (!try_receive(receiver, message, number)) {
      }
      if (meeting->finished()) {
        return;
      }
      send(sender, message, number);
    }
  };
  return {measure, oppose};
}

}  // namespace weir::performance
