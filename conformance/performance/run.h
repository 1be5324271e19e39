// Measures the rows of a report in interleaved rounds.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "conformance/performance/report.h"
#include "transport/status.h"

namespace weir::performance {

// Measures each of the chosen rows once a round, and calls `show` before each
// with a text for people. A row that fails is not tried again, and its outcome
// says why; the others go on. Errors: interrupted, by a signal that the caller
// handles.
[[nodiscard]] Status measure(Report& report, const std::vector<bool>& chosen, std::size_t rounds, Budget budget,
                             const std::function<void(const std::string&)>& show);

}  // namespace weir::performance
