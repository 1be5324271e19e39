// Explores a scenario: every schedule within bounds, or random ones, or a given one again.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "transport/testing/model_run/scheduler.h"

namespace weir::testing {

// What a few processes do. All of it runs on a machine of its own (machine.h), the same at the start of each execution.
struct Scenario {
  std::string name;
  Bounds bounds = {};             // of the exhaustive part
  std::function<void()> set_up;   // what went before; runs once
  std::vector<Program> programs;  // at the same time
  std::function<void()> judge;    // afterwards
  std::size_t deviations = 0;     // of a random schedule; 0: there are none
  std::uint64_t random_schedules = 0;
};

struct Report {
  std::uint64_t schedules = 0;
  std::uint64_t points = 0;
  std::string violation;  // empty: none
  std::string schedule;   // of the violation
  std::uint64_t branches = 0;
  std::uint64_t branches_run = 0;
};

// Every schedule with no preemption, then with one, and so on, so that the first violation found is a simple one; then
// random ones. Or a sample of them: each so manieth branch (choices.h) and random schedule.
[[nodiscard]] Report explore(const Scenario& scenario, std::size_t each = 1);
// One schedule; each step is printed if so told.
[[nodiscard]] Report replay(const Scenario& scenario, std::string_view schedule, bool with_trace);

}  // namespace weir::testing
