// Whether to spin before sleeping: while what is waited for is expected sooner than a sleep would cost.
//
// Thread safety: none; it belongs to who waits.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "transport/deadline.h"

namespace weir::shm {

class Spinning {
 public:
  // A sleep costs its owner 9 to 15 microseconds of processor time: spinning pays below that.
  static constexpr std::chrono::microseconds worth{20};
  // What a peer that is at it may take.
  static constexpr std::chrono::microseconds at_least{5};

  [[nodiscard]] bool pays() const noexcept {
    static const bool alone = std::thread::hardware_concurrency() < 2;
    return !alone && expected_gap_ <= worth;
  }
  // When to give it up: after twice as long as waits took lately. Whom one waits for may need this very processor.
  [[nodiscard]] Deadline end(Deadline deadline) const noexcept {
    return std::min(deadline, after(std::clamp<std::chrono::nanoseconds>(2 * expected_gap_, at_least, 2 * worth)));
  }

  // How long a wait took.
  void note(std::chrono::nanoseconds gap) noexcept { expected_gap_ += (gap - expected_gap_) / 4; }
  void note_no_wait() noexcept { expected_gap_ /= 2; }

 private:
  std::chrono::nanoseconds expected_gap_{0};  // moving average
};

// Tells the processor that this is a loop that waits.
inline void pause_processor() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::atomic_signal_fence(std::memory_order_seq_cst);
#endif
}

// Between two looks at what another process writes: each look takes a line away from who writes it. 0.1 to 0.6
// microseconds.
inline void pause_between_looks() noexcept {
  for (int pause = 0; pause < 25; ++pause) {
    pause_processor();
  }
}

}  // namespace weir::shm
