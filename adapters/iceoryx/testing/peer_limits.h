// How long a call of the adapter may take beyond its own deadline, whatever becomes of RouDi: what docs/iceoryx.md
// states for noticing it, and what a busy machine adds.
#pragma once

#include <chrono>

#include "adapters/iceoryx/limits.h"

namespace weir::iceoryx {

inline constexpr std::chrono::milliseconds longest_call = deadlock_limit + std::chrono::milliseconds(2500);

}  // namespace weir::iceoryx
