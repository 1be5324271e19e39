// Time for each message of a sender whose every message reaches all of several
// receivers, each a process of its own that sleeps while it has nothing.
// Nothing is lost; the time runs until the last receiver has the last message.
//
// A carrier that reaches many with one message has all receivers on one lane;
// for others the sender sends to each.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "conformance/performance/loads/exchange.h"

namespace weir::performance {

template <Carrier Type>
[[nodiscard]] Crew fan_out_crew(const std::shared_ptr<const Type>& carrier, const Task& task, bool broadcasts) {
  // Frameworks that connect in the background tell the sender of one receiver when others are still to come: it sends
  // greetings until each has one. Then a message that says they are over, so that no queue holds any when time begins.
  constexpr std::uint64_t greeting = ~std::uint64_t{1};
  constexpr std::uint64_t over = greeting - 1;
  const auto meeting = std::make_shared<const Meeting>();
  const auto greeted = std::make_shared<const Meeting>();
  const auto empty = std::make_shared<const Meeting>();
  const auto count = static_cast<std::uint32_t>(task.others);

  const auto measure = [=] {
    std::vector<decltype(carrier->sender(there))> senders;
    senders.reserve(task.others);
    for (std::uint64_t lane = 0; lane < (broadcasts ? 1 : task.others); ++lane) {
      senders.push_back(carrier->sender({.index = lane}));
    }
    const auto send_to_all = [&](std::uint64_t number) {
      for (auto& sender : senders) {
        send(sender, task.message, number);
      }
    };
    meeting->meet(count + 1);
    for (auto& sender : senders) {
      sender.await_receivers(broadcasts ? task.others : 1);
    }
    do {
      send_to_all(greeting);
      sched_yield();
    } while (!greeted->all_left(count));
    send_to_all(over);
    empty->wait_for_leaving(count);
    const double begin = wall_nanoseconds();
    const double end = begin + static_cast<double>(task.budget.count());
    std::uint64_t number = 0;
    for (; number % 16 != 0 || wall_nanoseconds() < end; ++number) {
      send_to_all(number);
    }
    meeting->announce_last(number);
    send_to_all(number++);
    meeting->wait_for_leaving(count);
    return Measurement{.figure = (wall_nanoseconds() - begin) / static_cast<double>(number)};
  };

  Crew crew{.measure = measure, .pinned = false};
  for (std::uint64_t lane = 0; lane < task.others; ++lane) {
    crew.others.emplace_back([=] {
      auto receiver = carrier->receiver({.index = broadcasts ? 0 : lane});
      meeting->meet(count + 1);
      bool first = true;
      while (receive_any(receiver, task) == greeting) {
        if (std::exchange(first, false)) {
          greeted->leave();
        }
      }
      empty->leave();
      for (std::uint64_t next = 0;; ++next) {
        const std::uint64_t number = receive_any(receiver, task);
        if (number != next) {
          fail("message " + std::to_string(number) + " came where another was the next");
        }
        if (meeting->is_last(number)) {
          break;
        }
      }
      meeting->leave();
    });
  }
  return crew;
}

}  // namespace weir::performance
