// The verdicts of one or more backends as one self-contained HTML page: a matrix of backends and requirements, each
// cell opening to sentence, expectation, what happened, and the command that replays it.
#pragma once

#include <string>
#include <vector>

#include "conformance/report/verdicts.h"

namespace weir::conformance {

[[nodiscard]] std::string to_page(const std::vector<BackendReport>& reports);

// The promise of a test in words: "Ordering.NothingComesTwice" is "nothing comes twice".
[[nodiscard]] std::string in_words(const std::string& test);

}  // namespace weir::conformance
