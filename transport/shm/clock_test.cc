#include "transport/shm/clock.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace weir::shm {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;
using std::chrono::nanoseconds;

std::vector<TickSource> sources() {
  std::vector<TickSource> all = {TickSource::monotonic_clock};
  if (best_tick_source() != all.front()) all.push_back(best_tick_source());
  return all;
}

std::string content_of(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(TickSource, IsTheCounterExactlyWhereTheKernelKeepsTimeByIt) {
  const bool kernel_uses_it = content_of("/sys/devices/system/clocksource/clocksource0/current_clocksource") == "tsc\n";
  const bool is_invariant = content_of("/proc/cpuinfo").find(" nonstop_tsc") != std::string::npos;
  EXPECT_EQ(best_tick_source() == TickSource::time_stamp_counter, kernel_uses_it && is_invariant);
}

TEST(TimeOf, LiesBetweenReadingsOfTheClockBeforeAndAfter) {
  for (const TickSource source : sources()) {
    const TickOrigin origin = tick_origin(source);
    std::vector<nanoseconds> errors;
    for (int count = 0; count < 1001; ++count) {
      const auto before = Clock::now();
      const std::uint64_t ticks = ticks_now(source);
      const auto after = Clock::now();
      const auto time = time_of(ticks, origin);
      errors.push_back(time < before ? before - time : time > after ? time - after : nanoseconds(0));
    }
    // An interrupt within all readings of a pair may spoil one time, not half of them.
    std::nth_element(errors.begin(), errors.begin() + 500, errors.end());
    EXPECT_LT(errors[500], microseconds(2)) << "source " << static_cast<unsigned>(source);
  }
}

TEST(TimeOf, MonotonicTicksAreTheTimeItself) {
  const TickOrigin origin = tick_origin(TickSource::monotonic_clock);
  EXPECT_EQ(origin.ticks, static_cast<std::uint64_t>(origin.nanoseconds));
  const std::uint64_t ticks = ticks_now(TickSource::monotonic_clock);
  EXPECT_EQ(time_of(ticks, origin).time_since_epoch(), nanoseconds(static_cast<std::int64_t>(ticks)));
}

TEST(TimeBetween, IsExactInATopicThatIsYearsOld) {
  constexpr std::int64_t year = 31'536'000'000'000'000;  // nanoseconds
  const TickOrigin origin{TickSource::time_stamp_counter, 1000, 500};
  const TickOrigin later{TickSource::time_stamp_counter, 1000 + std::uint64_t{9} * year, 500 + 3 * year};  // at 3 GHz
  for (const std::int64_t age : {std::int64_t{0}, std::int64_t{1}, std::int64_t{12'345'678}, year, 3 * year}) {
    const std::uint64_t ticks = 1000 + 3 * static_cast<std::uint64_t>(age);
    EXPECT_EQ(time_between(ticks, origin, later).time_since_epoch(), nanoseconds(500 + age));
  }
}

TEST(TimeBetween, StaysBetweenItsMomentsWhateverTheTicks) {
  for (const TickSource source : {TickSource::monotonic_clock, TickSource::time_stamp_counter}) {
    const TickOrigin origin{source, 1'000'000, 500};
    const TickOrigin later{source, 4'000'000, 1'000'500};
    const auto at = [&](std::uint64_t ticks) { return time_between(ticks, origin, later).time_since_epoch(); };
    for (const std::uint64_t ticks : {0, 1, 999'999, 1'000'000}) EXPECT_EQ(at(ticks), nanoseconds(500)) << ticks;
    EXPECT_EQ(at(2'500'000), nanoseconds(500'500));
    for (const std::uint64_t ticks : {std::uint64_t{4'000'000}, std::uint64_t{4'000'001}, ~std::uint64_t{0}}) {
      EXPECT_EQ(at(ticks), nanoseconds(1'000'500)) << ticks;
    }
  }
}

TEST(TimeBetween, OriginThatIsNotBeforeLeavesTheLaterMoment) {
  // Of another boot, or scribbled on.
  const TickOrigin later{TickSource::time_stamp_counter, 4'000'000, 1'000'500};
  for (const std::uint64_t ticks : {std::uint64_t{4'000'000}, ~std::uint64_t{0}}) {
    const TickOrigin origin{TickSource::time_stamp_counter, ticks, INT64_MAX};
    EXPECT_EQ(time_between(3'999'999, origin, later).time_since_epoch(), nanoseconds(1'000'500));
  }
}

}  // namespace
}  // namespace weir::shm
