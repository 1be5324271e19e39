// The times that docs/iceoryx.md states.
#pragma once

#include <chrono>

namespace weir::iceoryx {

// A RouDi that is gone, or is another, is noticed within:
inline constexpr std::chrono::milliseconds detection_limit(500);
// A RouDi that is there and is stuck is noticed within:
inline constexpr std::chrono::seconds deadlock_limit(6);
// How long a request to RouDi may take before RouDi counts as stuck.
inline constexpr std::chrono::seconds request_limit(2);
// How long the registration may take with a RouDi that has just answered: on a machine out of breath it maps and
// answers slowly, and is hardly ever stuck.
inline constexpr std::chrono::seconds registration_limit(6);
// How long a RouDi that was started may take to come up while it lives: it writes to all of its memory. iceoryx's own
// programs wait as long for theirs.
inline constexpr std::chrono::seconds start_limit(60);

}  // namespace weir::iceoryx
