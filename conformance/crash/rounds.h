// How often a test repeats what chance, or the manner of an end, makes different each time.
//
//   const int count = chosen_rounds(60);
//   for (int round = 0; round < count; ++round) …
//
// WEIR_CONFORMANCE_ONE_ROUND_IN=7 makes that a seventh of the rounds, and the log says so.
#pragma once

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

namespace weir::conformance {

// 1 if nothing was asked for: all of them.
[[nodiscard]] inline int one_round_in() {
  const char* given = std::getenv("WEIR_CONFORMANCE_ONE_ROUND_IN");
  return given == nullptr ? 1 : std::max(std::atoi(given), 1);
}

inline void report_rounds(int chosen, int all) {
  if (chosen < all) fmt::print("{} of {} rounds\n", chosen, all);
}

// `least`: what is judged needs as many, as when each manner of death is to come once.
[[nodiscard]] inline int chosen_rounds(int all, int least = 1) {
  const int part = one_round_in();
  const int chosen = std::max((all + part - 1) / part, least);
  report_rounds(chosen, all);
  return chosen;
}

}  // namespace weir::conformance
