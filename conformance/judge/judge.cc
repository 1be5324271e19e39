#include "conformance/judge/judge.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <random>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "conformance/conformance.h"
#include "conformance/harness/failure.h"
#include "conformance/harness/judgement.h"
#include "conformance/report/page.h"

namespace weir::conformance {
namespace {

// A declaration with a slip in it would declare nothing, and nobody would hear of it.
void check_declared(const BackendUnderTest& backend) {
  for (const Deviation& declared : backend.deviations) {
    const bool judged = std::any_of(judgements().begin(), judgements().end(), [&](const Judgement& judgement) {
      const auto& ids = judgement.requirements;
      return std::find(ids.begin(), ids.end(), declared.requirement) != ids.end() &&
             (declared.test.empty() || declared.test == judgement.promise);
    });
    if (judged) continue;
    throw HarnessFailure(fmt::format("the deviation declared for {}{}{} is of nothing that is judged: --list names all",
                                     declared.requirement, declared.test.empty() ? "" : " and its test ",
                                     declared.test));
  }
}

BackendReport judge(const JudgeOptions& options, const std::vector<std::string>& tests) {
  const Environment environment = environment_of(options);
  for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
  const BackendUnderTest backend = backend_under_test();
  check_declared(backend);
  BackendReport report{.backend = backend.name,
                       .endpoint = backend.endpoint,
                       .seed = static_cast<std::uint64_t>(options.limits.seed),
                       .tests = {}};
  for (const std::string& test : tests) {
    TestVerdict verdict = run_test(test, options.limits, environment);
    verdict.replay = replay_line(options, test);
    if (!options.quiet) {
      fmt::print("[{:>3}/{}] {:<15} {} ({} ms)\n", report.tests.size() + 1, tests.size(), verdict.verdict, test,
                 verdict.milliseconds);
      if (verdict.verdict != "pass") fmt::print("          {}\n", verdict.reason.substr(0, verdict.reason.find('\n')));
      std::fflush(stdout);
    }
    report.tests.push_back(std::move(verdict));
  }
  return report;
}

void write_file(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary);
  if (!(file << content) || !file.flush())
    throw HarnessFailure("cannot write " + path + ": give a path that can be written");
}

int status_of(const BackendReport& report) {
  const auto counts = counts_of(requirements_of(report));
  if (counts.contains("fail")) return 1;
  return counts.contains("inconclusive") ? 3 : 0;
}

}  // namespace

int judge_main(int argc, char** argv) {
  int status = 0;
  auto options = read_command_line(argc, argv, judges_plugins(), status);
  if (!options) return status;
  if (options->limits.seed == 0) options->limits.seed = static_cast<int>(std::random_device()() % 99'999 + 1);
  const auto tests = chosen_tests(options->only);
  if (tests.empty()) {
    fmt::print(stderr, "judge: no test fits --only {}: --list names them\n", fmt::join(options->only, " "));
    return 2;
  }
  if (options->list) {
    for (const Judgement& judgement : judgements()) {
      fmt::print("{}.{} {}\n", judgement.family, judgement.promise, fmt::join(judgement.requirements, " "));
    }
    return 0;
  }
  try {
    const BackendReport report = judge(*options, tests);
    fmt::print("\n{}", to_table(report));
    if (!options->json.empty()) {
      write_file(options->json, to_json(report).dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n');
    }
    if (!options->html.empty()) write_file(options->html, to_page({report}));
    return status_of(report);
  } catch (const std::exception& thrown) {
    fmt::print(stderr, "judge: {}\n", thrown.what());
    return 2;
  }
}

}  // namespace weir::conformance
