// What a run has measured.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "conformance/performance/measurement.h"
#include "conformance/performance/row.h"

namespace weir::performance {

// The rounds of a row, in their order.
struct Outcome {
  std::vector<Measurement> rounds;
  std::string failure;  // why it has no more rounds; empty if all went well
};

struct Report {
  std::vector<Row> rows;
  std::vector<Outcome> outcomes;     // of each row; without rounds and failure: it was not run
  std::string machine;               // processor, kernel, compiler and date
  std::string placement;             // Placement::text
  std::vector<std::string> missing;  // peers that cannot be measured here, and why
};

// The processor's name, how many there are, the kernel, the compiler that built this program, and now.
[[nodiscard]] std::string describe_machine();

// The figures of a row, one a round; of its median; of the times of a part of
// its events, the median of the rounds, and of the longest the longest of all.
[[nodiscard]] std::vector<double> figures_of(const Report& report, std::size_t row);
[[nodiscard]] std::optional<double> median_of(const Report& report, std::size_t row);
[[nodiscard]] std::vector<double> spread_of(const Report& report, std::size_t row);

// The median of the ratios of a row to another within the rounds, if both were
// run.
[[nodiscard]] std::optional<double> ratio_of(const Report& report, std::size_t row, std::size_t reference);

// "431 ns", "12.3 ms", "23 KiB": a figure with the unit of its row.
[[nodiscard]] std::string figure_text(double figure, const std::string& unit);

}  // namespace weir::performance
