// Letting others run before sleeping.
//
// Where more processes wait for messages than there are processors, one that sleeps at each message is woken for each,
// at the cost of a switch, and the publisher gets the processor back when all have slept again: nobody ever finds two
// messages. One that gives way finds many when its turn comes. But where a stranger keeps the processor busy a sleeper
// would be woken sooner: so giving way must have paid.
//
// Thread safety: none; it belongs to who waits.
#pragma once

#include <sched.h>

#include <algorithm>
#include <chrono>

namespace weir::shm {

// Whether nobody else wants this processor: lets others run once.
[[nodiscard]] inline bool is_processor_free() noexcept {
  constexpr std::chrono::microseconds nobody_ran{3};
  const auto begin = std::chrono::steady_clock::now();
  sched_yield();
  return std::chrono::steady_clock::now() - begin <= nobody_ran;
}

class GivingWay {
 public:
  // Gives way once, unless that was in vain lately. Whether `ready`, called afterwards, says that the wait is over.
  // Throws what `ready` throws.
  template <class Ready>
  [[nodiscard]] bool until(Ready ready) {
    if (left_out_ > 0) {
      --left_out_;
      return false;
    }
    const auto begin = std::chrono::steady_clock::now();
    sched_yield();
    const bool came = ready();
    const bool paid = came && std::chrono::steady_clock::now() - begin <= strangers_slice;
    leave_out_ = paid ? 0 : std::min(2 * leave_out_ + 1, most_left_out);
    left_out_ = leave_out_;
    return came;
  }

 private:
  // Who computes keeps a processor of Linux for 1 to 3 milliseconds (base_slice_ns of the scheduler's debug files).
  static constexpr std::chrono::milliseconds strangers_slice{1};
  static constexpr int most_left_out = 1023;

  int leave_out_ = 0;  // so many waits, after a time in vain
  int left_out_ = 0;   // of them, still to come
};

}  // namespace weir::shm
