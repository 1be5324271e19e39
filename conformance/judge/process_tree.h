// The processes below one, as /proc shows them.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir::conformance {

// The children of a process, and theirs; those that end meanwhile may be missing.
[[nodiscard]] std::vector<pid_t> descendants_of(pid_t process);

// Bytes of private memory that a process and its descendants have in use.
[[nodiscard]] std::uint64_t private_memory_of_tree(pid_t process);

// Ends all children of this process, and theirs, and waits for them. Returns how many were still running.
std::size_t end_orphans();

}  // namespace weir::conformance
