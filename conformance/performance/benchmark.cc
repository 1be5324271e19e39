// Measures weir against floors and other frameworks: all in one run, in interleaved rounds.
//
//   benchmark                                everything
//   benchmark --targets                      what weir wants to reach, and where it stands
//   benchmark --quick --html page.html       a first look
//   benchmark --loads latency --peers shm,"libzmq ipc" --sizes 64,4KiB --rounds 5
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
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "conformance/performance/json.h"
#include "conformance/performance/options.h"
#include "conformance/performance/page.h"
#include "conformance/performance/run.h"
#include "conformance/performance/table.h"
#include "conformance/performance/temporary_root.h"

namespace weir::performance {
namespace {

// On a terminal; nothing else is told while it runs.
void show_progress(const std::string& text) {
  if (isatty(STDERR_FILENO) != 0) {
    fmt::print(stderr, "\r\033[K{:.120}", text);
  }
}

void list_all() {
  fmt::print("loads: {}\npeers:\n", fmt::join(load_names(), ", "));
  for (const Peer& peer : peers()) {
    fmt::print("  {:<18} {}\n", peer.name, peer.what);
  }
}

bool write(const std::string& file, const std::string& option, const std::string& text) {
  if (file.empty()) {
    return true;
  }
  std::ofstream stream(file);
  if (stream << text << std::endl) {
    return true;
  }
  fmt::print(stderr, "benchmark: cannot write the file {}: choose another with {}\n", file, option);
  return false;
}

// The peers that cannot be measured on this machine, and their rows left out.
void leave_out_missing(Report& report, std::vector<bool>& chosen) {
  for (const Peer& peer : peers()) {
    const auto is_wanted = [&](std::size_t row) { return chosen[row] && report.rows[row].peer == peer.name; };
    std::vector<std::size_t> wanted;
    for (std::size_t row = 0; row < chosen.size(); ++row) {
      if (is_wanted(row)) {
        wanted.push_back(row);
      }
    }
    const std::string reason = wanted.empty() || !peer.hindrance ? std::string() : peer.hindrance();
    if (!reason.empty()) {
      report.missing.push_back(fmt::format("{}: {}", peer.name, reason));
      for (const std::size_t row : wanted) {
        chosen[row] = false;
      }
    }
  }
}

int run(const Options& options) {
  Report report;
  report.rows = all_rows();
  report.outcomes.resize(report.rows.size());
  report.machine = describe_machine();
  Result<std::vector<bool>> chosen = choose_rows(report.rows, options);
  if (!chosen) {
    fmt::print(stderr, "benchmark: {}\n", chosen.error().message());
    return 2;
  }
  leave_out_missing(report, *chosen);
  Status measured;
  {
    const TemporaryRoot root;
    measured = measure(report, *chosen, options.rounds,
                       std::chrono::nanoseconds(static_cast<std::int64_t>(options.seconds * 1e9)), show_progress);
  }
  show_progress("");
  if (!measured) {
    fmt::print(stderr, "benchmark: {}\n", measured.error().message());
    return 1;
  }
  fmt::print("{}", table(report));
  if (options.targets || (options.loads.empty() && options.peers.empty() && options.sizes.empty())) {
    fmt::print("{}", targets_table(report));
  }
  bool written = write(options.json_file, "--json", json(report).dump(1));
  written = write(options.html_file, "--html", page(report)) && written;
  const bool complete = std::all_of(report.outcomes.begin(), report.outcomes.end(),
                                    [](const Outcome& outcome) { return outcome.failure.empty(); });
  return written && complete ? 0 : 1;
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
  int status = 0;
  const auto options = weir::performance::read_options(count, arguments, status);
  if (!options) {
    return status;
  }
  if (options->list) {
    weir::performance::list_all();
    return 0;
  }
  weir::performance::handle(SIGINT);
  weir::performance::handle(SIGTERM);
  try {
    return weir::performance::run(*options);
  } catch (const std::exception& thrown) {
    fmt::print(stderr, "benchmark: {}\n", thrown.what());
    return 1;
  }
}
