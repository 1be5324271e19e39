#include "conformance/performance/options.h"

#include <algorithm>
#include <set>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "conformance/performance/targets.h"
#include "transport/qos.h"

namespace weir::performance {
namespace {

// "4KiB" or "4096", as in a URI.
Result<std::set<std::size_t>> sizes_of(const std::vector<std::string>& texts, const std::vector<Row>& rows) {
  std::set<std::size_t> known;
  for (const Row& row : rows) {
    known.insert(row.size);
  }
  known.erase(0);
  std::set<std::size_t> sizes;
  for (const std::string& text : texts) {
    const auto size = parse_size(text);
    if (!size || !known.contains(*size)) {
      std::vector<std::string> names;
      names.reserve(known.size());
      for (const std::size_t one : known) {
        names.push_back(fmt::format("{}", one));
      }
      return failure(ErrorCode::invalid_argument, fmt::format("--sizes: nothing is measured with messages "
                                                              "of {}: choose among {} bytes, or with the "
                                                              "suffixes KiB and MiB",
                                                              text, fmt::join(names, ", ")));
    }
    sizes.insert(*size);
  }
  return sizes;
}

template <class Names>
Status check_names(const std::string& option, const std::vector<std::string>& given, const Names& known) {
  for (const std::string& name : given) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return failure(ErrorCode::invalid_argument,
                     fmt::format("{}: there is no {}: choose among {}", option, name, fmt::join(known, ", ")));
    }
  }
  return {};
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::optional<Options> read_options(int count, char** arguments, int& status) {
  Options options;
  CLI::App app(
      "Measures weir against floors and other frameworks, in "
      "interleaved rounds of one run.");
  app.add_option("--loads", options.loads, "only these, with commas between (see --list)")->delimiter(',');
  app.add_option("--peers", options.peers, "only these and the floors, with commas between (see --list)")
      ->delimiter(',');
  app.add_option("--sizes", options.sizes, "only messages of these sizes, with commas between: 64,4KiB")
      ->delimiter(',');
  CLI::Option* const rounds = app.add_option("--rounds", options.rounds, "how often each row is measured")
                                  ->check(CLI::Range(1, 1000))
                                  ->capture_default_str();
  CLI::Option* const seconds =
      app.add_option("--seconds", options.seconds, "about how long a row takes in a round; 0: once")
          ->check(CLI::Range(0.0, 60.0))
          ->capture_default_str();
  app.add_flag("--quick", options.quick, "a first look: 3 rounds of 10 ms, messages of 64 B, 4 KiB and 1 MiB");
  app.add_flag("--targets", options.targets, "only what the targets need, and where each of them stands");
  app.add_flag("--list", options.list, "say which loads and peers there are, and measure nothing");
  app.add_option("--json", options.json_file, "also write all figures to this file");
  app.add_option("--html", options.html_file, "also write a page with plots to this file");
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    status = app.exit(error);
    return std::nullopt;
  }
  if (options.quick) {
    options.rounds = rounds->count() == 0 ? 3 : options.rounds;
    options.seconds = seconds->count() == 0 ? 0.01 : options.seconds;
    if (options.sizes.empty() && !options.targets) {
      options.sizes = {"64", "4KiB", "1MiB"};
    }
  }
  return options;
}

Result<std::vector<bool>> choose_rows(const std::vector<Row>& rows, const Options& options) {
  std::vector<std::string> peer_names;
  for (const Row& row : rows) {
    if (std::find(peer_names.begin(), peer_names.end(), row.peer) == peer_names.end()) {
      peer_names.push_back(row.peer);
    }
  }
  const auto sizes = sizes_of(options.sizes, rows);
  for (const Status& checked :
       {check_names("--loads", options.loads, load_names()), check_names("--peers", options.peers, peer_names),
        sizes ? Status() : Status(tl::unexpected(sizes.error()))}) {
    if (!checked) {
      return tl::unexpected(checked.error());
    }
  }
  std::vector<bool> chosen(rows.size(), true);
  if (options.targets) {
    chosen = rows_of_targets(rows);
  }
  for (std::size_t at = 0; at < rows.size(); ++at) {
    const Row& row = rows[at];
    chosen[at] = chosen[at] && has(options.loads, row.load) && has(options.peers, row.peer) &&
                 (sizes->empty() || row.size == 0 || sizes->contains(row.size));
  }
  const std::vector<bool> asked_for = chosen;
  for (std::size_t at = 0; at < rows.size(); ++at) {
    if (asked_for[at] && rows[at].floor) {
      chosen[*rows[at].floor] = true;
    }
  }
  if (std::find(chosen.begin(), chosen.end(), true) == chosen.end()) {
    return failure(ErrorCode::not_found,
                   "these peers carry none of these loads with these sizes: "
                   "choose more, or see --list");
  }
  return chosen;
}

}  // namespace weir::performance
