// A mutex that fork() takes: while somebody holds it, no child comes into being.
//
//   const std::lock_guard<std::mutex> no_fork(fork_mutex());
//
// For sections in which a child would inherit what it must not have (a descriptor that carries a proof of life,
// lock.h), and for state that a child must not find half changed. Hold it briefly, and do not fork inside.
#pragma once

#include <mutex>

namespace weir::shm {

// The same mutex for the whole process; free in a newborn child. A child made by a raw clone(2) is not kept out.
[[nodiscard]] std::mutex& fork_mutex();

}  // namespace weir::shm
