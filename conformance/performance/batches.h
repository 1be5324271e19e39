// Time of many small batches, and their median.
//
// Other processes take the processor away for milliseconds. A batch takes some
// ten microseconds, so only few batches meet that, and the median does not see
// those few; a mean over the whole time would.
#pragma once

#include <time.h>

#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

#include "conformance/performance/statistics.h"

namespace weir::performance {

// Wall time: what two processes that wait for each other take.
[[nodiscard]] inline double wall_nanoseconds() noexcept {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Processor time of this process: what it costs by itself, whoever else runs. A
// system call.
[[nodiscard]] inline double processor_nanoseconds() noexcept {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

// What `batch` takes by `clock`, one of the two above.
template <class Clock, class Batch>
[[nodiscard]] double time_of(Clock clock, Batch batch) {
  const double begin = clock();
  batch();
  return clock() - begin;
}

// What `measure` returns, called for about the time of `budget`, a fifth of
// which warms up. Without any time it is called once: to see that it can be.
template <class Measure>
[[nodiscard]] std::vector<double> all_within(std::chrono::nanoseconds budget, Measure measure) {
  using Clock = std::chrono::steady_clock;
  const std::size_t least = budget.count() == 0 ? 1 : 5;
  const auto begin = Clock::now();
  while (Clock::now() - begin < budget / 5) {
    static_cast<void>(measure());
  }
  std::vector<double> figures;
  figures.reserve(std::size_t{1} << 17U);  // so that few grow it
  while (figures.size() < least || Clock::now() - begin < budget) {
    figures.push_back(measure());
  }
  return figures;
}

// Their median.
template <class Measure>
[[nodiscard]] double median_within(std::chrono::nanoseconds budget, Measure measure) {
  return median(all_within(budget, measure));
}

}  // namespace weir::performance
