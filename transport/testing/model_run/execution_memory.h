// The memory of one execution: all that it allocates and all that its processes share, so that thousands of executions
// can begin from the same state, and what a dead process left behind costs nothing.
//
// Between begin_execution() and end_execution() operator new takes from here and nothing is given back one by one. What
// the set-up made is kept as a snapshot, which the next execution finds again, byte by byte, at the same addresses.
//
// Objects that are to outlive the execution must not be allocated while it lasts. Thread safety: one thread.
#pragma once

#include <cstddef>

namespace weir::testing {

// Pages for files that processes map: zeros, for the rest of the execution. Ends the program when there are none left.
[[nodiscard]] std::byte* allocate_pages(std::size_t bytes);

inline constexpr std::size_t simulated_page = 4096;
inline constexpr std::size_t shared_bytes = std::size_t{4} << 20U;
// Whether an address lies in such pages, and at which place in them.
[[nodiscard]] std::size_t place_in_pages(const void* address) noexcept;  // shared_bytes or more: it does not

// From here on operator new takes from the execution's memory.
void begin_execution();
void end_execution() noexcept;

// Keeps what is there now; goes back to it.
void keep_snapshot();
void restore_snapshot() noexcept;

// While one lives, operator new takes from the program's own heap.
class OutsideExecution {
 public:
  OutsideExecution() noexcept;
  OutsideExecution(const OutsideExecution&) = delete;
  OutsideExecution& operator=(const OutsideExecution&) = delete;
  ~OutsideExecution();

 private:
  bool before_;
};

}  // namespace weir::testing
