// Measures weir against floors and peers: all in one run, in interleaved rounds.
//
//   benchmark [--rounds 9] [--only TEXT] [--json FILE]
//
// In a round every row is measured once; the figure of a row is the median of its rounds, and its ratio is the median
// of the ratios within the rounds, so that a machine that is busy for a while distorts a ratio little. Exit status 0 if
// all could be measured, whatever the figures.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <fstream>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "conformance/performance/report.h"
#include "conformance/performance/row.h"
#include "conformance/performance/temporary_root.h"

namespace weir::performance {
namespace {

struct Options {
  int rounds = 9;
  int milliseconds = 50;
  std::string only;
  std::string json_file;
};

std::string name_of(const Row& row) { return fmt::format("{}: {}, {}", row.load, row.peer, row.detail); }

// The rows to measure: those that the option names and their references.
std::vector<bool> chosen_of(const std::vector<Row>& rows, const std::string& only) {
  std::vector<bool> chosen(rows.size());
  for (std::size_t row = rows.size(); row-- > 0;) {  // references stand above
    chosen[row] = chosen[row] || name_of(rows[row]).find(only) != std::string::npos;
    for (const std::size_t reference : rows[row].references) {
      chosen[reference] = chosen[reference] || chosen[row];
    }
  }
  return chosen;
}

void show_progress(int round, int rounds, const std::string& name) {
  if (isatty(STDERR_FILENO) != 0) {
    fmt::print(stderr, "\r\033[Kround {} of {}  {}", round, rounds, name);
  }
}

void clear_progress() {
  if (isatty(STDERR_FILENO) != 0) {
    fmt::print(stderr, "\r\033[K");
  }
}

Status measure(const Options& options, Report& report) {
  constexpr std::chrono::seconds patience(60);
  const Placement placement = find_placement();
  report.placement = placement.text;
  const std::vector<bool> chosen = chosen_of(report.rows, options.only);
  if (std::find(chosen.begin(), chosen.end(), true) == chosen.end()) {
    std::string text = fmt::format("no row has \"{}\" in its name; there are\n", options.only);
    for (const Row& row : report.rows) {
      text += fmt::format("  {}\n", name_of(row));
    }
    return failure(ErrorCode::not_found, std::move(text));
  }
  for (int round = 1; round <= options.rounds; ++round) {
    for (std::size_t row = 0; row < report.rows.size(); ++row) {
      if (!chosen[row]) {
        continue;
      }
      const Row& what = report.rows[row];
      show_progress(round, options.rounds, name_of(what));
      const Result<double> figure =
          run_pair(what.roles(std::chrono::milliseconds(options.milliseconds)), placement, patience);
      if (!figure) {
        clear_progress();
        return failure(figure.error().code(), fmt::format("{}: {}", name_of(what), figure.error().message()));
      }
      report.figures[row].push_back(*figure);
    }
  }
  clear_progress();
  return {};
}

int run(const Options& options) {
  Report report;
  report.rows = all_rows();
  report.figures.resize(report.rows.size());
  report.machine = describe_machine();
  {
    const TemporaryRoot root;
    if (const Status measured = measure(options, report); !measured) {
      fmt::print(stderr, "benchmark: {}\n", measured.error().message());
      return 1;
    }
  }
  fmt::print("{}\n", table(report));
  if (!options.json_file.empty()) {
    std::ofstream file(options.json_file);
    if (!(file << json(report).dump(2) << std::endl)) {
      fmt::print(stderr, "benchmark: cannot write the file {}: choose another with --json\n", options.json_file);
      return 1;
    }
  }
  return 0;
}

// A signal ends a wait with EINTR; then all is removed in order.
void handle(int signal) {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  sigaction(signal, &action, nullptr);
}

}  // namespace
}  // namespace weir::performance

int main(int count, char** arguments) {
  weir::performance::Options options;
  CLI::App app("Measures weir against floors and peers, in interleaved rounds of one run.");
  app.add_option("--rounds", options.rounds, "how often each row is measured")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--milliseconds", options.milliseconds, "about how long a row takes in a round")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  app.add_option("--only", options.only, "measure only rows whose name contains this text, and their references");
  app.add_option("--json", options.json_file, "also write all figures to this file");
  CLI11_PARSE(app, count, arguments);
  weir::performance::handle(SIGINT);
  weir::performance::handle(SIGTERM);
  try {
    return weir::performance::run(options);
  } catch (const std::exception& thrown) {
    fmt::print(stderr, "benchmark: {}\n", thrown.what());
    return 1;
  }
}
