// What a measurement of one round yields: a figure, and where the load times
// single events, how those are spread.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace weir::performance {

// The parts of all events for which a time is kept: half of them took no longer
// than that of 0.5.
inline constexpr std::array<double, 19> parts = {0,    0.1,   0.2,  0.3,   0.4,    0.5,   0.6,    0.7,    0.8, 0.9,
                                                 0.95, 0.975, 0.99, 0.995, 0.9975, 0.999, 0.9995, 0.9999, 1};

struct Measurement {
  double figure = 0;                // what rows are compared by
  std::vector<double> spread = {};  // a time for each of `parts`; empty where single events are not timed
};

// The place of a part among `parts`, which must have it.
[[nodiscard]] constexpr std::size_t place_of(double part) noexcept {
  std::size_t place = 0;
  while (place + 1 < parts.size() && parts[place] != part) {
    ++place;
  }
  return place;
}

// In the place of a part for which there were too few events: it would be the longest of them.
inline constexpr double too_few = -1;

// The times of all events, not empty, as a spread.
[[nodiscard]] inline std::vector<double> spread_of(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  std::vector<double> spread;
  spread.reserve(parts.size());
  for (const double part : parts) {
    const double rank = std::ceil(part * static_cast<double>(times.size()));
    const bool is_longest = rank >= static_cast<double>(times.size());
    spread.push_back(part < 1 && is_longest ? too_few : times[static_cast<std::size_t>(std::max(rank, 1.0)) - 1]);
  }
  return spread;
}

}  // namespace weir::performance
