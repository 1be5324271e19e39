#include "conformance/performance/run.h"

#include <exception>
#include <utility>

#include <fmt/format.h>

#include "conformance/performance/crew.h"

namespace weir::performance {
namespace {

constexpr std::chrono::seconds patience(30);

Result<Measurement> measure_once(const Row& row, Budget budget, const Placement& placement) {
  try {
    return run_crew(row.crew(budget), placement, patience);
  } catch (const std::exception& thrown) {
    return failure(ErrorCode::internal, thrown.what());
  }
}

}  // namespace

Status measure(Report& report, const std::vector<bool>& chosen, std::size_t rounds, Budget budget,
               const std::function<void(const std::string&)>& show) {
  const Placement placement = find_placement();
  report.placement = placement.text;
  for (std::size_t round = 1; round <= rounds; ++round) {
    for (std::size_t at = 0; at < report.rows.size(); ++at) {
      const Row& row = report.rows[at];
      Outcome& outcome = report.outcomes[at];
      if (!chosen[at] || !outcome.failure.empty() || round > row.most_rounds) {
        continue;
      }
      show(fmt::format("round {} of {}, row {} of {}: {}, {}: {}", round, rounds, at + 1, report.rows.size(), row.peer,
                       row.detail, row.title));
      Result<Measurement> measurement = measure_once(row, budget, placement);
      if (measurement) {
        outcome.rounds.push_back(std::move(*measurement));
      } else if (measurement.error().code() == ErrorCode::interrupted) {
        return tl::unexpected(measurement.error());
      } else {
        outcome.failure = measurement.error().message();
      }
    }
  }
  return {};
}

}  // namespace weir::performance
