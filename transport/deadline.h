// Points in time up to which a call may wait.
//
//   subscriber.wait(weir::after(std::chrono::milliseconds(20)));
//   subscriber.wait(weir::never);      // no deadline
//   subscriber.wait(weir::at_once);    // do not wait at all
#pragma once

#include <chrono>
#include <cstdint>

namespace weir {

// Why a wait ended.
enum class Wake : std::uint8_t {
  ready,        // what was waited for is there
  deadline,     // it was not, up to the deadline
  interrupted,  // the stop token was triggered
};

// CLOCK_MONOTONIC: comparable between all processes of one machine.
using Deadline = std::chrono::steady_clock::time_point;

inline constexpr Deadline never = Deadline::max();
inline constexpr Deadline at_once = Deadline::min();

// The deadline `wait` from now; durations too long to be represented mean never.
[[nodiscard]] inline Deadline after(std::chrono::nanoseconds wait) noexcept {
  const Deadline now = std::chrono::steady_clock::now();
  return wait >= never - now ? never : now + wait;
}

[[nodiscard]] inline bool passed(Deadline deadline) noexcept {
  return deadline != never && (deadline == at_once || std::chrono::steady_clock::now() >= deadline);
}

}  // namespace weir
