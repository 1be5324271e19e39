// Runs a measurement in processes of its own, the first two of them on two
// processors.
//
// Each is forked from the parent, which has opened nothing, so that a framework
// that allows one runtime a process finds a fresh one. None outlives the
// measurement: they die with the parent, and the end of one by an error ends
// the others.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "conformance/performance/measurement.h"
#include "transport/status.h"

namespace weir::performance {

// Where the first two run.
struct Placement {
  std::optional<std::array<int, 2>> processors;  // none: wherever the scheduler puts them
  std::string text;                              // for people: which, or why none
};

// Two processors of different cores that this process may use, if it may
// choose. Thread-compatible: tries by pinning the calling thread for a moment.
[[nodiscard]] Placement find_placement();

// What the processes of a measurement do. All may throw; the text reaches the
// caller of run_crew.
struct Crew {
  std::function<Measurement()> measure;  // what it returns is the outcome
  std::vector<std::function<void()>> others = {};
  std::optional<std::size_t> victim = {};  // of the others: this one is to die by SIGKILL
  bool pinned = true;                      // the measuring one and the first of the others, to a
                                           // processor each
  bool threads = false;                    // of one process, instead of processes
  std::function<void()> prelude = {};      // what each process does first
};

// Errors: internal, with what a role threw, or the signal that killed it;
// timed_out when they are not done after `patience`; interrupted when a signal
// arrives that the caller handles.
[[nodiscard]] Result<Measurement> run_crew(const Crew& crew, const Placement& placement, std::chrono::seconds patience);

}  // namespace weir::performance
