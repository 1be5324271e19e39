#include "conformance/performance/table.h"

#include <algorithm>

#include <fmt/format.h>

#include "conformance/performance/targets.h"

namespace weir::performance {
namespace {

constexpr std::string_view row_line = "  {:<16} {:<11} {:>8}  {:>8} {:>8}  {:>8} {:>8} {:>8} {:>8} {:>8}  {}\n";

std::string head_of(const Row& row) {
  return fmt::format("\n{} ({})\n", row.title, row.unit) +
         fmt::format(row_line, "", "", "median", "least", "most", "p50", "p90", "p99", "p99.9", "max", "compared");
}

std::string row_text(const Report& report, std::size_t at) {
  const Row& row = report.rows[at];
  const Outcome& outcome = report.outcomes[at];
  if (outcome.rounds.empty()) {
    return fmt::format("  {:<16} {:<11} not measured: {}\n", row.peer, row.detail, outcome.failure);
  }
  const std::vector<double> figures = figures_of(report, at);
  const auto [least, most] = std::minmax_element(figures.begin(), figures.end());
  const std::vector<double> spread = spread_of(report, at);
  const auto part = [&](double which) {
    const bool known = !spread.empty() && spread[place_of(which)] != too_few;
    return known ? figure_text(spread[place_of(which)], row.unit) : std::string();
  };
  std::string ratio;
  if (row.floor && *row.floor != at) {
    const Row& floor = report.rows[*row.floor];
    if (const auto value = ratio_of(report, at, *row.floor)) {
      ratio = fmt::format("{:.2f} to {}", *value, floor.peer);
    }
  }
  std::string text = fmt::format(row_line, row.peer, row.detail, figure_text(*median_of(report, at), row.unit),
                                 figure_text(*least, row.unit), figure_text(*most, row.unit), part(0.5), part(0.9),
                                 part(0.99), part(0.999), part(1), ratio);
  if (!outcome.failure.empty()) {
    text += fmt::format("  {:<28} {} rounds only: {}\n", "", outcome.rounds.size(), outcome.failure);
  }
  return text;
}

}  // namespace

std::string table(const Report& report) {
  std::string text = fmt::format("{}\n{}\n", report.machine, report.placement);
  for (const std::string& reason : report.missing) {
    text += fmt::format("not measured: {}\n", reason);
  }
  std::string title;
  for (std::size_t row = 0; row < report.rows.size(); ++row) {
    if (report.outcomes[row].rounds.empty() && report.outcomes[row].failure.empty()) {
      continue;
    }
    if (title != report.rows[row].title) {
      title = report.rows[row].title;
      text += head_of(report.rows[row]);
    }
    text += row_text(report, row);
  }
  return text;
}

std::string targets_table(const Report& report) {
  constexpr std::string_view target_line = "  {:<66} {:>11} {:>9}  {:<12} {}\n";
  std::string text = "\ntargets, median of the rounds\n";
  text += fmt::format(target_line, "", "target", "here", "", "others, measured before");
  for (const Target& target : targets()) {
    const auto value = value_of(report, target);
    text += fmt::format(target_line, target.what, limit_text(target), value_text(report, target),
                        !value                   ? "not measured"
                        : is_met(target, *value) ? "met"
                                                 : "MISSED",
                        target.others);
  }
  return text;
}

}  // namespace weir::performance
