// Which of the planted bugs (planted_bugs.txt) is there. Included before the sources in which they were planted.
#pragma once

namespace weir::testing {

inline int chosen_bug = -1;  // none

[[nodiscard]] inline bool is_planted(int bug) noexcept { return bug == chosen_bug; }

}  // namespace weir::testing
