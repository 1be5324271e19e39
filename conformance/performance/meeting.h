// Where the processes of a measurement wait for each other, and hear of its
// end.
#pragma once

#include <sched.h>

#include <atomic>
#include <cstdint>

#include "conformance/performance/futex.h"
#include "conformance/performance/shared_memory.h"

namespace weir::performance {

// Made by the parent, used by all. If another side dies the parent kills this
// one, so nothing here gives up.
class Meeting {
 public:
  // Returns once so many have called it: all are connected then.
  void meet(std::uint32_t count = 2) const noexcept { arrive_and_await(state_->arrived, count); }

  // The measuring side has all it wants; the message that it sends next, if
  // any, is the last.
  void finish() const noexcept {
    state_->finished.store(1, std::memory_order_release);
    futex_wake(state_->finished);
  }
  [[nodiscard]] bool finished() const noexcept { return state_->finished.load(std::memory_order_acquire) != 0; }

  // For a side that only has to be there: sleeps until finish().
  void wait_for_finish() const noexcept {
    while (!finished()) {
      futex_wait(state_->finished, 0);
    }
  }

  // The number of the last message, stated before it is sent, so that who
  // receives it knows.
  void announce_last(std::uint64_t number) const noexcept { state_->last.store(number, std::memory_order_release); }
  [[nodiscard]] bool is_last(std::uint64_t number) const noexcept {
    return state_->last.load(std::memory_order_acquire) == number;
  }

  // A receiver has the last message. Returns once so many have: a framework may drop what it has accepted and not yet
  // sent when its process ends.
  void leave() const noexcept {
    state_->left.fetch_add(1, std::memory_order_acq_rel);
    futex_wake(state_->left);
  }
  [[nodiscard]] bool all_left(std::uint32_t count) const noexcept {
    return state_->left.load(std::memory_order_acquire) >= count;
  }
  void wait_for_leaving(std::uint32_t count) const noexcept {
    for (std::uint32_t left = 0; (left = state_->left.load(std::memory_order_acquire)) < count;) {
      futex_wait(state_->left, left);
    }
  }

 private:
  static void arrive_and_await(std::atomic<std::uint32_t>& arrived, std::uint32_t count) noexcept {
    arrived.fetch_add(1, std::memory_order_acq_rel);
    futex_wake(arrived);
    for (std::uint32_t seen = 0; (seen = arrived.load(std::memory_order_acquire)) < count;) {
      futex_wait(arrived, seen);
    }
  }

  struct State {
    alignas(64) std::atomic<std::uint32_t> arrived{0};
    alignas(64) std::atomic<std::uint32_t> finished{0};
    alignas(64) std::atomic<std::uint32_t> left{0};
    alignas(64) std::atomic<std::uint64_t> last{~std::uint64_t{0}};
  };
  SharedMemory<State> state_;
};

}  // namespace weir::performance
