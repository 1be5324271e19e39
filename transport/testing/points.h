// The points at which a death can be told from a death elsewhere: before each access to a word that processes share,
// and before each call that changes what the kernel keeps for us (files, names, locks, mappings). Between two points
// nothing happens that others can see.
//
// The process counts the points that it passes once it is armed, and at a chosen one sends itself a signal: SIGKILL, or
// SIGSTOP for a stop. Words reach here by PointedWord (WEIR_SHM_WORD), calls by the linker (wrapped_calls.cc).
//
// Thread safety: for processes of one thread.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

namespace weir::testing {

inline constexpr std::uint64_t no_point = std::numeric_limits<std::uint64_t>::max();

// Counts from now on, from 1; at point `number` sends `signal` to this process. With no_point it only counts.
void arm(std::uint64_t number, int signal) noexcept;
// Counts no more. Returns how many points were passed.
std::uint64_t disarm() noexcept;

// A point. `what` is about to happen; it must be a literal.
void point(const char* what) noexcept;

// Where what() of the point that was chosen is stored, 64 bytes, in memory that outlives the process.
void report_to(char* where) noexcept;

}  // namespace weir::testing
