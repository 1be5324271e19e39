// Round trip of a message on one of many topics, to a receiver that sleeps on
// all of them at once; the answer comes on a topic of its own. Which topic is
// next changes each time, and is the same in every run.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "conformance/performance/loads/exchange.h"

namespace weir::performance {

// listener(count): made in the process that uses it, receives what comes on
// lanes there/0 … there/count-1. receive(use): sleeps until there is a message
// on any, and calls use(payload) for each that it finds; at least one.
template <class Type>
concept ListeningCarrier = Carrier<Type> && requires(const Type carrier, std::uint64_t count) {
  carrier.listener(count).receive(archetype::Use());
};

template <ListeningCarrier Type>
[[nodiscard]] Crew many_topics_crew(const std::shared_ptr<const Type>& carrier, const Task& task) {
  const auto meeting = std::make_shared<const Meeting>();

  const auto measure = [=] {
    std::vector<decltype(carrier->sender(there))> senders;
    senders.reserve(task.others);
    for (std::uint64_t lane = 0; lane < task.others; ++lane) {
      senders.push_back(carrier->sender({.index = lane}));
    }
    auto receiver = carrier->receiver(back);
    meeting->meet();
    for (auto& sender : senders) {
      sender.await_receivers(1);
    }
    std::uint64_t number = 0;
    const auto round_trip = [&] {
      constexpr std::uint64_t stride = 7919;  // a prime: all topics in turn, none beside the last
      send(senders[number * stride % task.others], task.message, number);
      receive(receiver, task, number);
      ++number;
    };
    std::vector<double> times = all_within(task.budget, [&] { return time_of(wall_nanoseconds, round_trip); });
    meeting->announce_last(number);
    round_trip();
    meeting->leave();
    const double figure = median(times);
    return Measurement{.figure = figure, .spread = spread_of(std::move(times))};
  };

  const auto oppose = [=] {
    auto listener = carrier->listener(task.others);
    auto sender = carrier->sender(back);
    meeting->meet();
    sender.await_receivers(1);
    std::uint64_t number = 0;
    for (bool last = false; !last;) {
      listener.receive([&](auto payload) { check_number(payload, number); });
      last = meeting->is_last(number);
      send(sender, task.message, number++);
    }
    meeting->wait_for_leaving(1);
  };
  return {.measure = measure, .others = {oppose}};
}

}  // namespace weir::performance
