// A message goes there and another comes back. Spinning: the time of one way,
// half of that of a round trip. Blocking, both sides asleep while there is
// nothing for them: the time of the round trip.
//
// The figure is that of whole batches where both spin, since reading the clock
// takes as long as a small part of a message's way; then single round trips are
// timed for the spread, with the clock in them.
//
// With a pause before each message, there and back, the other side is sure to
// be asleep when it comes, and one that spins for a while first has given that
// up; without one, a peer that expects the next message at once may do without
// sleeping. Who pauses does so spinning, and the pauses are not in the time.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "conformance/performance/loads/exchange.h"

namespace weir::performance {

namespace latency {

inline void spend(std::chrono::nanoseconds pause) {
  for (const double resume = wall_nanoseconds() + std::chrono::duration<double, std::nano>(pause).count();
       wall_nanoseconds() < resume;) {
  }
}

// Calls `round_trip` for about the time of the task's budget. `ways`: how many
// of them a round trip counts.
template <class RoundTrip>
[[nodiscard]] Measurement measure(const Task& task, double ways, RoundTrip round_trip) {
  const auto timed = [&] {
    spend(task.pause);
    return (time_of(wall_nanoseconds, round_trip) - static_cast<double>(task.pause.count())) / ways;
  };
  double figure = 0;
  if (!task.blocking) {
    // Small messages in batches of 100, large ones one by one. The first ones take longer: memory is new to them.
    double least = timed();
    for (const double end = wall_nanoseconds() + static_cast<double>(task.budget.count()) / 10;
         wall_nanoseconds() < end;) {
      least = std::min(least, timed());
    }
    const auto batch_size = static_cast<std::uint64_t>(std::clamp(20'000 / least, 1.0, 100.0));
    const auto batch = [&] {
      for (std::uint64_t trip = 0; trip < batch_size; ++trip) {
        round_trip();
      }
    };
    figure = median_within(task.budget / 2,
                           [&] { return time_of(wall_nanoseconds, batch) / (ways * static_cast<double>(batch_size)); });
  }
  std::vector<double> times = all_within(task.blocking ? task.budget : task.budget / 2, timed);
  if (task.blocking) {
    figure = median(times);
  }
  return {.figure = figure, .spread = spread_of(std::move(times))};
}

}  // namespace latency

template <Carrier Type>
[[nodiscard]] Crew latency_crew(const std::shared_ptr<const Type>& carrier, const Task& task) {
  const auto meeting = std::make_shared<const Meeting>();

  const auto measure = [=] {
    auto sender = carrier->sender(there);
    auto receiver = carrier->receiver(back);
    meeting->meet();
    sender.await_receivers(1);
    std::uint64_t number = 0;
    const auto round_trip = [&] {
      send(sender, task.message, number);
      receive(receiver, task, number);
      ++number;
    };
    Measurement measurement = latency::measure(task, task.blocking ? 1 : 2, round_trip);
    meeting->announce_last(number);
    round_trip();
    meeting->leave();
    return measurement;
  };

  const auto oppose = [=] {
    auto receiver = carrier->receiver(there);
    auto sender = carrier->sender(back);
    meeting->meet();
    sender.await_receivers(1);
    for (std::uint64_t number = 0;; ++number) {
      receive(receiver, task, number);
      const bool last = meeting->is_last(number);
      if (!last) {
        latency::spend(task.pause);
      }
      send(sender, task.message, number);
      if (last) {
        meeting->wait_for_leaving(1);
        return;
      }
    }
  };
  return {.measure = measure, .others = {oppose}};
}

}  // namespace weir::performance
