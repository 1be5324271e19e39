#include "conformance/performance/report.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <fstream>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "conformance/performance/statistics.h"

namespace weir::performance {
namespace {

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  const std::string key = "model name";
  for (std::string line; std::getline(file, line);) {
    if (const std::size_t colon = line.find(": "); line.starts_with(key) && colon != std::string::npos) {
      return line.substr(colon + 2);
    }
  }
  return "unknown processor";
}

std::string figure_text(double figure) { return fmt::format("{:.{}f}", figure, figure < 100 ? 1 : 0); }

// "3.66 to cache line, 1.95 to one each way": what tells the other row from this one.
std::string ratios_text(const Report& report, std::size_t row) {
  std::string text;
  std::string peer = report.rows[row].peer;
  for (const std::size_t reference : report.rows[row].references) {
    const Row& to = report.rows[reference];
    if (const std::optional<double> ratio = ratio_of(report, row, reference)) {
      text += fmt::format("{}{:.2f} to {}", text.empty() ? "" : ", ", *ratio, to.peer == peer ? to.detail : to.peer);
    }
    peer = to.peer;
  }
  return text;
}

std::string target_text(const Report& report, std::size_t row) {
  const Row& what = report.rows[row];
  if (!what.target) {
    return {};
  }
  const std::optional<double> ratio = ratio_of(report, row, what.references.front());
  return fmt::format("{:.2f} {}", *what.target, !ratio ? "" : *ratio <= *what.target ? "met" : "MISSED");
}

}  // namespace

std::string describe_machine() {
  utsname system{};
  uname(&system);
  return fmt::format("{}, {} processors, {} {}, {:%Y-%m-%d}", processor_name(), sysconf(_SC_NPROCESSORS_ONLN),
                     system.sysname, system.release, fmt::gmtime(std::time(nullptr)));
}

std::optional<double> ratio_of(const Report& report, std::size_t row, std::size_t reference) {
  const std::vector<double>& figures = report.figures[row];
  const std::vector<double>& others = report.figures[reference];
  if (figures.empty() || figures.size() != others.size()) {
    return std::nullopt;
  }
  return median_ratio(figures, others);
}

std::string table(const Report& report) {
  constexpr std::string_view line = "  {:<11} {:<24} {:>9} {:>9} {:>9}  {:<12} {}\n";
  std::string text = fmt::format("{}\n{}\n", report.machine, report.placement);
  std::string load;
  for (std::size_t row = 0; row < report.rows.size(); ++row) {
    const Row& what = report.rows[row];
    const std::vector<double>& figures = report.figures[row];
    if (figures.empty()) {
      continue;
    }
    if (load != what.load) {
      load = what.load;
      text += fmt::format("\n{}, {}\n", load, what.unit);
      text += fmt::format(line, "", "", "median", "least", "most", "target", "ratio");
    }
    text += fmt::format(line, what.peer, what.detail, figure_text(median(figures)),
                        figure_text(*std::min_element(figures.begin(), figures.end())),
                        figure_text(*std::max_element(figures.begin(), figures.end())), target_text(report, row),
                        ratios_text(report, row));
  }
  return text;
}

nlohmann::json json(const Report& report) {
  nlohmann::json rows = nlohmann::json::array();
  for (std::size_t row = 0; row < report.rows.size(); ++row) {
    const Row& what = report.rows[row];
    const std::vector<double>& figures = report.figures[row];
    if (figures.empty()) {
      continue;
    }
    nlohmann::json entry = {{"load", what.load}, {"peer", what.peer},         {"detail", what.detail},
                            {"unit", what.unit}, {"median", median(figures)}, {"rounds", figures}};
    for (const std::size_t reference : what.references) {
      if (const std::optional<double> ratio = ratio_of(report, row, reference)) {
        const Row& to = report.rows[reference];
        entry["ratios"].push_back({{"ratio", *ratio}, {"load", to.load}, {"peer", to.peer}, {"detail", to.detail}});
      }
    }
    if (what.target) {
      entry["target"] = *what.target;
    }
    rows.push_back(std::move(entry));
  }
  return {{"machine", report.machine}, {"placement", report.placement}, {"rows", std::move(rows)}};
}

}  // namespace weir::performance
