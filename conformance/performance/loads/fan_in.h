// Time for each message at a receiver that several senders send to, each a process of its own; the receiver sleeps
// while it has nothing. Nothing is lost. The time runs from when each sender has been heard, so that connecting is not
// in it, until the last message of each is there.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "conformance/performance/loads/exchange.h"

namespace weir::performance {

template <Carrier Type>
[[nodiscard]] Crew fan_in_crew(const std::shared_ptr<const Type>& carrier, const Task& task) {
  // A message says who sent it, whether it is that sender's last, and which it is.
  constexpr unsigned sender_bits = 48;
  constexpr std::uint64_t last = std::uint64_t{1} << 63U;
  const auto meeting = std::make_shared<const Meeting>();
  const auto count = static_cast<std::uint32_t>(task.others);

  const auto measure = [=] {
    auto receiver = carrier->receiver(there);
    meeting->meet(count + 1);
    std::vector<std::uint64_t> next(task.others);
    const auto receive_next = [&] {
      const std::uint64_t number = receive_any(receiver, task);
      const std::uint64_t sender = (number & ~last) >> sender_bits;
      if (sender >= task.others || (number & ((std::uint64_t{1} << sender_bits) - 1)) != next[sender]++) {
        fail("message " + std::to_string(number) + " came where another was the next of its sender");
      }
      return number;
    };
    while (std::find(next.begin(), next.end(), std::uint64_t{0}) != next.end()) {
      static_cast<void>(receive_next());
    }
    std::uint64_t received = 0;
    const double begin = wall_nanoseconds();
    const double end = begin + static_cast<double>(task.budget.count());
    for (std::uint64_t running = task.others; running > 0; ++received) {
      running -= (receive_next() & last) != 0 ? 1 : 0;
      if (received % 16 == 0 && wall_nanoseconds() >= end && !meeting->finished()) {
        meeting->finish();
      }
    }
    const double figure = (wall_nanoseconds() - begin) / static_cast<double>(received);
    meeting->leave();
    return Measurement{.figure = figure};
  };

  Crew crew{.measure = measure, .pinned = false};
  for (std::uint64_t index = 0; index < task.others; ++index) {
    crew.others.emplace_back([=] {
      auto sender = carrier->sender(there);
      meeting->meet(count + 1);
      sender.await_receivers(1);
      std::uint64_t number = index << sender_bits;
      for (; !meeting->finished(); ++number) {
        send(sender, task.message, number);
      }
      send(sender, task.message, number | last);
      meeting->wait_for_leaving(1);  // a framework may drop what is not sent yet when a sender ends
    });
  }
  return crew;
}

}  // namespace weir::performance
