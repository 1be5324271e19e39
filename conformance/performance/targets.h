// What weir wants to reach, as ratios within one run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "conformance/performance/report.h"

namespace weir::performance {

struct Target {
  // Which row, by title, peer and detail.
  struct Of {
    std::string title;
    std::string peer;
    std::string detail;
  };
  enum class Measure : std::uint8_t {
    ratio,       // time to that of the reference
    rate_ratio,  // the reference's time to it: how many times as many messages
    excess,      // figure less that of the reference
    figure,
  };

  std::string what;
  std::string others;  // what other frameworks were measured at, here
  Measure measure = Measure::ratio;
  bool at_least = false;  // else at most
  double limit = 0;
  std::string unit = "ns";  // of limit and value, where they are no ratios
  Of row;
  Of reference = {};
};

[[nodiscard]] const std::vector<Target>& targets();

// The rows that targets need.
[[nodiscard]] std::vector<bool> rows_of_targets(const std::vector<Row>& rows);

// The median over the rounds; nothing where its rows were not run.
[[nodiscard]] std::optional<double> value_of(const Report& report, const Target& target);
[[nodiscard]] bool is_met(const Target& target, double value) noexcept;
// "<= 1.50", "1.43", with unit where there is one.
[[nodiscard]] std::string limit_text(const Target& target);
[[nodiscard]] std::string value_text(const Report& report, const Target& target);

}  // namespace weir::performance
