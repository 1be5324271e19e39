// A mutex that fork() takes: while somebody holds it, no child comes into being.
//
//   const std::lock_guard<std::mutex> no_fork(fork_mutex());
//
// For sections in which a child would inherit what it must not have (a descriptor that carries a proof of life,
// lock.h), and for state that a child must not find half changed. Hold it briefly, and do not fork inside.
#pragma once

#include <mutex>
#include <utility>

namespace weir::shm {

// The same mutex for the whole process; free in a newborn child. A child made by a raw clone(2) is not kept out.
[[nodiscard]] std::mutex& fork_mutex();

// Closes a descriptor in every child that is forked while this lives: what peers read from its hang-up is the death of
// this process, not that of its children too. Thread-safe.
class ClosedInChildren {
 public:
  ClosedInChildren() = default;
  // `no_fork` has held the mutex since before the descriptor was opened.
  ClosedInChildren(int descriptor, const std::lock_guard<std::mutex>& no_fork);
  ClosedInChildren(ClosedInChildren&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  ClosedInChildren& operator=(ClosedInChildren&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ClosedInChildren(const ClosedInChildren&) = delete;
  ClosedInChildren& operator=(const ClosedInChildren&) = delete;
  ~ClosedInChildren();

 private:
  int descriptor_ = -1;
};

}  // namespace weir::shm
