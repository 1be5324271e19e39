// How long a publisher still waits for a lossless subscriber that is killed
// while it holds the publisher back.
//
// One subscriber stops taking, and publish waits. A third party sees that
// nothing moves, and kills it. The time runs from the kill to the return of the
// publish; another subscriber is there all the time and must get everything.
#pragma once

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <memory>

#include "conformance/performance/loads/exchange.h"

namespace weir::performance {

template <Carrier Type>
[[nodiscard]] Crew recovery_crew(const std::shared_ptr<const Type>& carrier, const Task& task) {
  struct Scene {
    std::atomic<std::uint64_t> published{0};
    std::atomic<pid_t> victim{0};
    std::atomic<double> killed_at{0};
  };
  constexpr std::uint64_t least = 100;  // messages after the kill
  const auto scene = std::make_shared<const SharedMemory<Scene>>();
  const auto meeting = std::make_shared<const Meeting>();

  const auto measure = [=] {
    Scene& shared = **scene;
    auto sender = carrier->sender(there);
    meeting->meet(4);
    sender.await_receivers(2);
    std::uint64_t number = 0;
    double resumed_at = 0;
    for (std::uint64_t after = 0; after < least; ++number) {
      send(sender, task.message, number);
      const double killed_at = shared.killed_at.load();
      if (killed_at != 0 && after++ == 0) {
        resumed_at = wall_nanoseconds();
      }
      shared.published.store(number + 1);
    }
    meeting->announce_last(number);
    send(sender, task.message, number);
    meeting->wait_for_leaving(1);
    return Measurement{.figure = resumed_at - shared.killed_at.load()};
  };

  const auto stop_taking = [=] {
    auto receiver = carrier->receiver(there);
    meeting->meet(4);
    static_cast<void>(receive_any(receiver, task));
    (*scene)->victim.store(getpid());
    while (true) {
      pause();
    }
  };

  const auto take_all = [=] {
    auto receiver = carrier->receiver(there);
    meeting->meet(4);
    for (std::uint64_t number = receive_any(receiver, task), next = number;; number = receive_any(receiver, task)) {
      if (number != next++) {
        fail("message " + std::to_string(number) + " came where another was the next");
      }
      if (meeting->is_last(number)) {
        break;
      }
    }
    meeting->leave();
  };

  // Watches in steps: what it waits for is that nothing happens.
  const auto kill_it = [=] {
    Scene& shared = **scene;
    constexpr int quiet_steps = 30;  // of a millisecond
    meeting->meet(4);
    std::uint64_t seen = 0;
    for (int quiet = 0; quiet < quiet_steps;) {
      usleep(1000);
      const std::uint64_t now = shared.published.load();
      quiet = shared.victim.load() != 0 && now == seen ? quiet + 1 : 0;
      seen = now;
    }
    shared.killed_at.store(wall_nanoseconds());
    kill(shared.victim.load(), SIGKILL);
  };
  return {.measure = measure, .others = {stop_taking, take_all, kill_it}, .victim = 0, .pinned = false};
}

}  // namespace weir::performance
