// The time of publication, as cheap as a register: processor ticks that a reader turns into time, if it asks.
#pragma once

#include <chrono>
#include <cstdint>

namespace weir::shm {

// What a topic's ticks are. Stated in the topic file by whoever made it, so that all peers agree.
enum class TickSource : std::uint32_t {
  monotonic_clock = 0,     // nanoseconds of CLOCK_MONOTONIC
  time_stamp_counter = 1,  // x86 TSC, where the kernel itself keeps time by it (current_clocksource is tsc)
  none = 2,                // of a publisher that does not say when (option publish_time=no); of no topic
};

// Of TickSource::none.
inline constexpr std::uint64_t no_ticks = 0;

// The best source of this machine.
[[nodiscard]] TickSource best_tick_source() noexcept;

// One moment on both scales.
struct TickOrigin {
  TickSource source = TickSource::monotonic_clock;
  std::uint64_t ticks = 0;
  std::int64_t nanoseconds = 0;  // CLOCK_MONOTONIC
};

[[nodiscard]] TickOrigin tick_origin(TickSource source) noexcept;

[[nodiscard]] inline std::uint64_t ticks_now(TickSource source) noexcept {
#if defined(__x86_64__)
  if (source == TickSource::time_stamp_counter) [[likely]] {
    return __builtin_ia32_rdtsc();
  }
#endif
  if (source == TickSource::none) {
    return no_ticks;
  }
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

// When `ticks` were, given a moment before them: the line through that moment and now. The rate is thus measured over a
// span that contains the ticks, so the error is that of reading two clocks together (tens of nanoseconds). Whatever the
// ticks, which come from shared memory, the result lies between the origin and now. (A machine that slept since the
// origin may have counted on while the clock stood still: times are then too recent, within these bounds.)
[[nodiscard]] std::chrono::steady_clock::time_point time_of(std::uint64_t ticks, const TickOrigin& origin) noexcept;

// The same with a given moment instead of now.
[[nodiscard]] std::chrono::steady_clock::time_point time_between(std::uint64_t ticks, const TickOrigin& origin,
                                                                 const TickOrigin& later) noexcept;

}  // namespace weir::shm
