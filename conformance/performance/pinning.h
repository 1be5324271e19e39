// Puts the calling thread on one processor.
#pragma once

#include <sched.h>

#include <cstddef>

namespace weir::performance {

// False with errno when that is not allowed.
inline bool pin_to(int processor) noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(processor), &set);
  return sched_setaffinity(0, sizeof(set), &set) == 0;
}

}  // namespace weir::performance
