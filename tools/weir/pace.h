// Waiting for a moment, unless a signal comes first.
#pragma once

#include "tools/weir/interrupts.h"
#include "transport/deadline.h"

namespace weir::tool {

// False: a signal came.
[[nodiscard]] bool sleep_until(Deadline moment, const Interrupts& interrupts);

}  // namespace weir::tool
