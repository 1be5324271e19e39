// The times that docs/iceoryx.md states.
#pragma once

#include <chrono>

namespace weir::iceoryx {

// A RouDi that is gone, or is another, is noticed within:
inline constexpr std::chrono::milliseconds detection_limit(500);
// A RouDi that is there and is stuck is noticed within:
inline constexpr std::chrono::seconds deadlock_limit(6);
// How long a request to RouDi may take before RouDi counts as stuck, and how long a first contact.
inline constexpr std::chrono::seconds request_limit(2);
inline constexpr std::chrono::milliseconds contact_limit(800);

}  // namespace weir::iceoryx
