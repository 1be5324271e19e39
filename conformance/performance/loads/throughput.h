// Time for each message in a stream from one sender to one receiver that loses nothing, both as fast as they can.
#pragma once

#include <memory>

#include "conformance/performance/batches.h"
#include "conformance/performance/loads/load.h"
#include "conformance/performance/meeting.h"
#include "conformance/performance/peers/peer.h"
#include "conformance/performance/process_pair.h"

namespace weir::performance {

template <Peer Carrier>
[[nodiscard]] Roles throughput(std::shared_ptr<const Carrier> carrier, Message message, Budget budget) {
  // Several times what a queue holds, so that a batch is not what had gathered in it meanwhile.
  constexpr std::uint64_t batch_size = 4096;
  const auto meeting = std::make_shared<const Meeting>();

  const auto receive = [=] {
    auto receiver = carrier->receiver(Direction::there);
    meeting->meet();
    std::uint64_t number = 0;
    const auto batch = [&] {
      for (const std::uint64_t end = number + batch_size; number < end; ++number) {
        while (!try_receive(receiver, message, number)) {
        }
      }
    };
    const double time = median_within(budget, [&] { return time_of(wall_nanoseconds, batch) / batch_size; });
    meeting->finish();
    return time;
  };

  const auto send_all = [=] {
    auto sender = carrier->sender(Direction::there);
    meeting->meet();
    sender.await_receiver();
    const auto is_over = [&] { return meeting->finished(); };
    for (std::uint64_t number = 0; !is_over(); ++number) {
      send_unless(is_over, sender, message, number);
    }
  };
  return {receive, send_all};
}

}  // namespace weir::performance
