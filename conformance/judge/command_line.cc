#include "conformance/judge/command_line.h"

#include <algorithm>
#include <chrono>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "conformance/harness/judgement.h"
#include "conformance/report/given_path.h"

namespace weir::conformance {

std::optional<JudgeOptions> read_command_line(int argc, char** argv, bool of_plugin, int& status) {
  JudgeOptions options;
  options.program = argv[0];
  CLI::App app{
      "Judges a transport by the requirements of weir's conformance suite, each test in a process of its own."};
  if (of_plugin) {
    app.add_option("--plugin", options.plugin, "shared library with the C ABI of transport/plugin.h")->required();
    app.add_option("--endpoint", options.endpoint,
                   "endpoint of a topic: {topic} is replaced, with {root}, an empty directory of the test, and "
                   "{sandbox}, a word that no other test uses; e.g. 'theirs://{topic}?root={root}'")
        ->required();
    app.add_option(
        "--deviations", options.deviations,
        "JSON: [{\"requirement\": \"CRASH-4\", \"kind\": \"always\" or \"may\", \"reason\": …, \"reference\": …, "
        "\"test\": …}], the last two optional");
  }
  std::int64_t patience = options.limits.patience.count();
  std::int64_t budget = options.limits.budget.count();
  std::uint64_t megabytes = options.limits.memory >> 20U;
  app.add_option("--only", options.only,
                 "judge this alone: an id (ORD-1), a family of ids (ORD), or a test; repeatable");
  app.add_option("--seed", options.limits.seed, "of all random choices, 1 to 99999; 0: a new one")
      ->check(CLI::Range(0, 99999));
  app.add_option("--time-budget", budget, "seconds that each random test goes on")->check(CLI::PositiveNumber);
  app.add_option("--patience", patience, "seconds after which a test counts as hung")->check(CLI::PositiveNumber);
  app.add_option("--memory", megabytes, "MiB that a test may take")->check(CLI::PositiveNumber);
  app.add_option("--json", options.json, "write the verdicts to this file");
  app.add_option("--html", options.html, "write a page to this file");
  app.add_flag("--list", options.list, "name the tests with their requirements, and run none");
  app.add_flag("--quiet", options.quiet, "no line for each test");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& wrong) {
    status = app.exit(wrong) == 0 ? 0 : 2;
    return std::nullopt;
  }
  for (std::string* path : {&options.plugin, &options.deviations, &options.json, &options.html}) {
    *path = as_given(*path);
  }
  options.limits.patience = std::chrono::seconds(patience);
  options.limits.budget = std::chrono::seconds(budget);
  options.limits.memory = megabytes << 20U;
  return options;
}

std::string replay_line(const JudgeOptions& options, const std::string& test) {
  std::string line = options.program;
  if (!options.plugin.empty()) line += fmt::format(" --plugin {} --endpoint '{}'", options.plugin, options.endpoint);
  if (!options.deviations.empty()) line += " --deviations " + options.deviations;
  const TestLimits usual;
  if (options.limits.budget != usual.budget) line += fmt::format(" --time-budget {}", options.limits.budget.count());
  if (options.limits.patience != usual.patience) line += fmt::format(" --patience {}", options.limits.patience.count());
  if (options.limits.memory != usual.memory) line += fmt::format(" --memory {}", options.limits.memory >> 20U);
  return line + fmt::format(" --seed {} --only {}", options.limits.seed, test);
}

std::vector<std::string> chosen_tests(const std::vector<std::string>& only) {
  std::vector<std::string> chosen;
  for (const Judgement& judgement : judgements()) {
    const std::string test = judgement.family + '.' + judgement.promise;
    const auto fits = [&](const std::string& wanted) {
      if (wanted == test || wanted == judgement.promise || wanted == judgement.family) return true;
      return std::any_of(judgement.requirements.begin(), judgement.requirements.end(),
                         [&](const std::string& id) { return id == wanted || id.substr(0, id.find('-')) == wanted; });
    };
    if (only.empty() || std::any_of(only.begin(), only.end(), fits)) chosen.push_back(test);
  }
  return chosen;
}

}  // namespace weir::conformance
