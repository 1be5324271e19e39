// Whether to spin before sleeping: while what is waited for is expected sooner than a sleep would cost.
//
// Two that answer one another each wait for the other's waking, and so for longer than spinning is worth; if one of
// them spun, the other would have its answer at once, and soon both would do without sleeping. So where waits are long
// it is tried now and then, and seldom where that is in vain.
//
// Thread safety: none; it belongs to who waits.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include "transport/deadline.h"

namespace weir::shm {

class Spinning {
 public:
  // Whether trying can pay at all: not for one whom nobody answers.
  enum class Tries : std::uint8_t { none, now_and_then };

  explicit Spinning(Tries tries) noexcept : tries_(tries) {}

  // A sleep costs its owner 9 to 15 microseconds of processor time: spinning pays below that.
  static constexpr std::chrono::microseconds worth{20};
  // What a peer that is at it may take.
  static constexpr std::chrono::microseconds at_least{5};
  // What a peer that sleeps usually takes to be there, on a virtual machine; a try waits for that.
  static constexpr std::chrono::microseconds wake_up{100};

  [[nodiscard]] bool pays() const noexcept { return !alone() && (expected_gap_ <= worth || to_try_ > 0); }
  // Whether it pays only perhaps: not where others want this processor.
  [[nodiscard]] bool is_try() const noexcept { return !alone() && to_try_ > 0; }
  void end_try() noexcept { to_try_ = 0; }
  // When to give it up: a try after a wake-up, else after twice as long as waits took lately. Whom one waits for may
  // need this very processor.
  [[nodiscard]] Deadline end(Deadline deadline) const noexcept {
    const std::chrono::nanoseconds patience =
        is_try() ? wake_up : std::clamp<std::chrono::nanoseconds>(2 * expected_gap_, at_least, 2 * worth);
    return std::min(deadline, after(patience));
  }

  // How long a wait took.
  void note(std::chrono::nanoseconds gap) noexcept {
    expected_gap_ += (gap - expected_gap_) / 4;
    if (to_try_ > 0) {
      --to_try_;
      short_waits_ = gap <= worth ? short_waits_ + 1 : 0;
      if (short_waits_ == convincing) {
        expected_gap_ = gap;
        to_try_ = 0;
      }
    } else if (expected_gap_ <= worth) {
      if (paid_ < lasting && ++paid_ == lasting) {
        leave_out_ = least_left_out;
        left_out_ = least_left_out;
      }
    } else {
      paid_ = 0;
      if (tries_ == Tries::now_and_then && --left_out_ == 0) {
        to_try_ = waits_of_a_try;
        short_waits_ = 0;
        leave_out_ = std::min(2 * leave_out_, most_left_out);
        left_out_ = leave_out_;
      }
    }
  }
  void note_no_wait() noexcept { expected_gap_ /= 2; }

 private:
  [[nodiscard]] static bool alone() noexcept {
    static const bool alone = std::thread::hardware_concurrency() < 2;
    return alone;
  }

  // A try, which both peers have to make at the same time, is so many waits long; so many short ones in a row make it a
  // success. Who finds some messages at once now and then has that without an answer: so a success counts as one when
  // spinning has paid for longer.
  static constexpr int waits_of_a_try = 16;
  static constexpr int convincing = 4;
  static constexpr int lasting = 256;
  // Long waits between two tries: more each time.
  static constexpr int least_left_out = 8;
  static constexpr int most_left_out = 1024;

  Tries tries_;
  std::chrono::nanoseconds expected_gap_{0};  // moving average
  int to_try_ = 0;                            // waits left of a try
  int short_waits_ = 0;                       // the last ones of the try
  int paid_ = 0;                              // waits in a row for which spinning paid
  int leave_out_ = least_left_out;            // so many long waits before the next try
  int left_out_ = least_left_out;             // of them, still to come
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
