// The processes below one, as /proc shows them.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir::conformance {

// The children of a process, and theirs; those that end meanwhile may be missing.
[[nodiscard]] std::vector<pid_t> descendants_of(pid_t process);

// Bytes that processes have in use. What several share is counted once.
struct MemoryInUse {
  std::uint64_t own = 0;     // heap, stacks and the like
  std::uint64_t shared = 0;  // mapped of memory that can be shared, files in memory among it
};
// Of a process and its descendants together.
[[nodiscard]] MemoryInUse memory_of_tree(pid_t process);

// Ends all children of this process, and theirs, and waits for them. Returns how many were still running.
std::size_t end_orphans();

}  // namespace weir::conformance
