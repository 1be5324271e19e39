// What a task asks for, as options of a URI.
#pragma once

#include <string>

#include <fmt/format.h>

#include "conformance/performance/task.h"

namespace weir::performance {

// `can_reject`: whether a publisher may grant `reject`, so that a sender that
// spins comes back at once.
[[nodiscard]] inline std::string weir_options(const Task& task, bool can_reject) {
  const bool lossless = task.load == Load::stream || task.load == Load::fan_out || task.load == Load::fan_in ||
                        task.load == Load::recovery;
  if (!lossless) {
    return {};
  }
  return fmt::format("policy=lossless&depth={}&grant={}", depth_for(task),
                     task.blocking || !can_reject ? "block" : "reject");
}

}  // namespace weir::performance
