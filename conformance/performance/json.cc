#include "conformance/performance/json.h"

#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "conformance/performance/targets.h"

namespace weir::performance {
namespace {

nlohmann::json json_of_row(const Report& report, std::size_t at) {
  const Row& row = report.rows[at];
  const Outcome& outcome = report.outcomes[at];
  nlohmann::json entry = {{"load", row.load},     {"title", row.title}, {"peer", row.peer},
                          {"detail", row.detail}, {"unit", row.unit},   {"rounds", figures_of(report, at)}};
  if (const auto middle = median_of(report, at)) {
    entry["median"] = *middle;
  }
  if (row.size > 0) {
    entry["size"] = row.size;
  }
  if (!outcome.failure.empty()) {
    entry["failure"] = outcome.failure;
  }
  if (const std::vector<double> spread = spread_of(report, at); !spread.empty()) {
    for (std::size_t part = 0; part < parts.size(); ++part) {
      if (spread[part] != too_few) {
        entry["spread"].push_back({{"part", parts[part]}, {"time", spread[part]}});
      }
    }
  }
  if (row.floor && *row.floor != at) {
    const Row& floor = report.rows[*row.floor];
    if (const auto ratio = ratio_of(report, at, *row.floor)) {
      entry["floor"] = {{"peer", floor.peer}, {"detail", floor.detail}, {"ratio", *ratio}};
    }
  }
  return entry;
}

}  // namespace

nlohmann::json json(const Report& report) {
  nlohmann::json rows = nlohmann::json::array();
  for (std::size_t row = 0; row < report.rows.size(); ++row) {
    if (!report.outcomes[row].rounds.empty() || !report.outcomes[row].failure.empty()) {
      rows.push_back(json_of_row(report, row));
    }
  }
  nlohmann::json aims = nlohmann::json::array();
  for (const Target& target : targets()) {
    nlohmann::json entry = {{"what", target.what}, {"target", limit_text(target)}};
    if (const auto value = value_of(report, target)) {
      entry["value"] = *value;
      entry["met"] = is_met(target, *value);
    }
    aims.push_back(std::move(entry));
  }
  return {{"machine", report.machine},
          {"placement", report.placement},
          {"missing", report.missing},
          {"rows", std::move(rows)},
          {"targets", std::move(aims)}};
}

}  // namespace weir::performance
