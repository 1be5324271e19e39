// A report for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "conformance/performance/report.h"

namespace weir::performance {

[[nodiscard]] nlohmann::json json(const Report& report);

}  // namespace weir::performance
