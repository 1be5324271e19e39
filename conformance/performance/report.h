// What a run has measured, for people and for programs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "conformance/performance/row.h"

namespace weir::performance {

struct Report {
  std::vector<Row> rows;
  std::vector<std::vector<double>> figures;  // of each row, one a round; none: it was not run
  std::string machine;                       // processor, kernel and date
  std::string placement;                     // Placement::text
};

// The processor's name, how many there are, the kernel, and now.
[[nodiscard]] std::string describe_machine();

// The ratio of a row to another, if both were run.
[[nodiscard]] std::optional<double> ratio_of(const Report& report, std::size_t row, std::size_t reference);

[[nodiscard]] std::string table(const Report& report);
[[nodiscard]] nlohmann::json json(const Report& report);

}  // namespace weir::performance
