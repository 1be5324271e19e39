#include "conformance/performance/report.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <fstream>
#include <span>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>

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

// What this program was built with. Bazel's default build keeps assertions, which take time, and compiles drivers fast.
std::string compiler() {
#ifdef NDEBUG
  constexpr const char* assertions = "";
#else
  constexpr const char* assertions = " with assertions, its drivers hardly optimised (build with -c opt to measure)";
#endif
#ifdef __clang__
  return fmt::format("clang {}{}", __clang_version__, assertions);
#else
  return fmt::format("g++ {}{}", __VERSION__, assertions);
#endif
}

// Three digits, in the largest unit that leaves one before the point.
std::string scaled(double figure, double step, std::initializer_list<const char*> units) {
  auto unit = units.begin();
  while (figure >= step && unit + 1 != units.end()) {
    figure /= step;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", figure, figure < 10 ? 2 : figure < 100 ? 1 : 0, *unit);
}

}  // namespace

std::string describe_machine() {
  utsname system{};
  uname(&system);
  return fmt::format("{}, {} processors, {} {}, {}, {:%Y-%m-%d}", processor_name(), sysconf(_SC_NPROCESSORS_ONLN),
                     system.sysname, system.release, compiler(), fmt::gmtime(std::time(nullptr)));
}

std::vector<double> figures_of(const Report& report, std::size_t row) {
  std::vector<double> figures;
  figures.reserve(report.outcomes[row].rounds.size());
  for (const Measurement& round : report.outcomes[row].rounds) {
    figures.push_back(round.figure);
  }
  return figures;
}

std::optional<double> median_of(const Report& report, std::size_t row) {
  std::vector<double> figures = figures_of(report, row);
  return figures.empty() ? std::nullopt : std::optional(median(std::move(figures)));
}

std::vector<double> spread_of(const Report& report, std::size_t row) {
  const std::vector<Measurement>& rounds = report.outcomes[row].rounds;
  if (rounds.empty() || rounds.front().spread.size() != parts.size()) {
    return {};
  }
  std::vector<double> spread;
  for (std::size_t part = 0; part < parts.size(); ++part) {
    std::vector<double> times;
    times.reserve(rounds.size());
    for (const Measurement& round : rounds) {
      times.push_back(round.spread.at(part));
    }
    if (*std::min_element(times.begin(), times.end()) == too_few) {
      spread.push_back(too_few);
      continue;
    }
    spread.push_back(parts[part] < 1 ? median(std::move(times)) : *std::max_element(times.begin(), times.end()));
  }
  return spread;
}

std::optional<double> ratio_of(const Report& report, std::size_t row, std::size_t reference) {
  const std::vector<double> figures = figures_of(report, row);
  const std::vector<double> others = figures_of(report, reference);
  const std::size_t rounds = std::min(figures.size(), others.size());
  if (rounds == 0) {
    return std::nullopt;
  }
  return median_ratio(std::span(figures).first(rounds), std::span(others).first(rounds));
}

std::string figure_text(double figure, const std::string& unit) {
  if (unit.starts_with("ns")) {
    return scaled(figure, 1000, {"ns", "us", "ms", "s"});
  }
  return unit == "bytes" ? scaled(figure, 1024, {"B", "KiB", "MiB", "GiB"}) : fmt::format("{:.0f}", figure);
}

}  // namespace weir::performance
