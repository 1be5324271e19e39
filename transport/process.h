// Which process a handle belongs to. A forked child inherits the memory of every handle, and must not use one.
#pragma once

#include <atomic>
#include <cstdint>

namespace weir::spi {

namespace internal {
// A word that every fork sets to 0, by the kernel (MADV_WIPEONFORK, see madvise(2)), whatever function forked.
extern std::atomic<std::uint64_t>* process_word;
}  // namespace internal

// A number that tells this process from its forked children; 0 where no Node was opened yet.
[[nodiscard]] inline std::uint64_t process_generation() noexcept {
  return internal::process_word->load(std::memory_order_relaxed);
}

// Gives this process a generation of its own, if it has none yet, so that it can open handles. Thread-safe.
void adopt_process() noexcept;

}  // namespace weir::spi
