// A report as one self-contained HTML page with plots.
#pragma once

#include <string>

#include "conformance/performance/report.h"

namespace weir::performance {

[[nodiscard]] std::string page(const Report& report);

}  // namespace weir::performance
