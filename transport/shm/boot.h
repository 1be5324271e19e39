// Which boot of the machine this is. What processes leave in a root on a disk outlives it; what they knew does not.
#pragma once

#include <cstdint>

namespace weir::shm {

// A number of this boot, never 0; the same in all containers of the machine. Thread-safe.
[[nodiscard]] std::uint64_t this_boot();

}  // namespace weir::shm
