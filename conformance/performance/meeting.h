// Where the two processes of a measurement wait for each other, and hear of its end.
#pragma once

#include <sched.h>

#include <atomic>
#include <cstdint>

#include "conformance/performance/futex.h"
#include "conformance/performance/shared_memory.h"

namespace weir::performance {

// Made by the parent, used by both. If the other side dies the parent kills this one, so nothing here gives up.
class Meeting {
 public:
  // Returns once both have called it: both are connected then.
  void meet() const noexcept {
    state_->arrived.fetch_add(1, std::memory_order_acq_rel);
    while (state_->arrived.load(std::memory_order_acquire) < 2) {
      sched_yield();
    }
  }

  // The measuring side has all it wants; the message that it sends next, if any, is the last.
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

 private:
  struct State {
    alignas(64) std::atomic<std::uint32_t> arrived{0};
    alignas(64) std::atomic<std::uint32_t> finished{0};
  };
  SharedMemory<State> state_;
};

}  // namespace weir::performance
