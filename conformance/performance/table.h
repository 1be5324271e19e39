// A report as tables for a terminal.
#pragma once

#include <string>

#include "conformance/performance/report.h"

namespace weir::performance {

[[nodiscard]] std::string table(const Report& report);
[[nodiscard]] std::string targets_table(const Report& report);

}  // namespace weir::performance
