// Runs a measurement in two processes of its own, on two processors.
//
// Each is forked from the parent, which has opened nothing, so that a framework that allows one runtime a process finds
// a fresh one. Neither outlives the measurement: both die with the parent, and the end of one by an error ends the
// other.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "transport/status.h"

namespace weir::performance {

// Where the two run.
struct Placement {
  std::optional<std::array<int, 2>> processors;  // none: wherever the scheduler puts them
  std::string text;                              // for people: which, or why none
};

// Two processors of different cores that this process may use, if it may choose. Thread-compatible: tries by pinning
// the calling thread for a moment.
[[nodiscard]] Placement find_placement();

// What the two do. Both may throw; the text reaches the caller of run_pair.
struct Roles {
  std::function<double()> measure;  // on the first processor; the figure
  std::function<void()> oppose;     // on the second
};

// The figure. Errors: internal, with what a role threw, or the signal that killed it; timed_out when the two are not
// done after `patience`; interrupted when a signal arrives that the caller handles.
[[nodiscard]] Result<double> run_pair(const Roles& roles, const Placement& placement, std::chrono::seconds patience);

}  // namespace weir::performance
