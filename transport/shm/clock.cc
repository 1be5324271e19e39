#include "transport/shm/clock.h"

#include <fcntl.h>

#include <array>
#include <string_view>

#if defined(__x86_64__)
#include <cpuid.h>
#include <unistd.h>
#endif

namespace weir::shm {
namespace {

std::int64_t nanoseconds_now() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

#if defined(__x86_64__)
// The counter runs at one rate in all states of the processor (CPUID 8000_0007, EDX bit 8) ...
bool is_invariant() noexcept {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return __get_cpuid(0x8000'0007, &a, &b, &c, &d) != 0 && (d & (1U << 8U)) != 0;
}

// ... and the kernel, which watches it, has found it equal on all processors.
bool is_trusted_by_the_kernel() noexcept {
  const int descriptor = open("/sys/devices/system/clocksource/clocksource0/current_clocksource", O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  std::array<char, 16> text{};
  const ssize_t size = read(descriptor, text.data(), text.size());
  close(descriptor);
  return size > 0 && std::string_view(text.data(), static_cast<std::size_t>(size)) == "tsc\n";
}
#endif

}  // namespace

TickSource best_tick_source() noexcept {
#if defined(__x86_64__)
  static const bool has_counter = is_invariant() && is_trusted_by_the_kernel();
  return has_counter ? TickSource::time_stamp_counter : TickSource::monotonic_clock;
#else
  return TickSource::monotonic_clock;
#endif
}

TickOrigin tick_origin(TickSource source) noexcept {
  if (source == TickSource::monotonic_clock) {
    const std::int64_t now = nanoseconds_now();
    return {source, static_cast<std::uint64_t>(now), now};
  }
  // The clock is read between two ticks; of several tries the closest pair is the one that nothing interrupted.
  constexpr int tries = 4;
  TickOrigin best{source, 0, 0};
  std::uint64_t closest = ~std::uint64_t{0};
  for (int attempt = 0; attempt < tries; ++attempt) {
    const std::uint64_t before = ticks_now(source);
    const std::int64_t now = nanoseconds_now();
    const std::uint64_t width = ticks_now(source) - before;
    if (width < closest) {
      closest = width;
      best = {source, before + width / 2, now};
    }
  }
  return best;
}

std::chrono::steady_clock::time_point time_of(std::uint64_t ticks, const TickOrigin& origin) noexcept {
  return time_between(ticks, origin, tick_origin(origin.source));
}

std::chrono::steady_clock::time_point time_between(std::uint64_t ticks, const TickOrigin& origin,
                                                   const TickOrigin& later) noexcept {
  using Moment = std::chrono::steady_clock::time_point;
  const auto moment = [](std::int64_t nanoseconds) { return Moment(std::chrono::nanoseconds(nanoseconds)); };
  if (ticks >= later.ticks || later.ticks <= origin.ticks) return moment(later.nanoseconds);
  if (ticks <= origin.ticks || later.nanoseconds <= origin.nanoseconds) return moment(origin.nanoseconds);
  // The product of two spans has more than 64 bits after a few seconds.
  __extension__ using Wide = unsigned __int128;
  const auto span = static_cast<std::uint64_t>(later.nanoseconds - origin.nanoseconds);
  const auto elapsed = static_cast<std::int64_t>(Wide{ticks - origin.ticks} * span / (later.ticks - origin.ticks));
  return moment(origin.nanoseconds + elapsed);
}

}  // namespace weir::shm
