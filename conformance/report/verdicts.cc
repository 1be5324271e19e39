#include "conformance/report/verdicts.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "conformance/report/requirements.h"

namespace weir::conformance {
namespace {

// The worst first.
constexpr std::array<std::string_view, 5> by_weight{"fail", "known deviation", "inconclusive", "pass", "unsupported"};

std::size_t weight(std::string_view verdict) {
  const auto* found = std::find(by_weight.begin(), by_weight.end(), verdict);
  return found == by_weight.end() ? 0 : static_cast<std::size_t>(found - by_weight.begin());
}

}  // namespace

std::vector<RequirementVerdict> requirements_of(const BackendReport& report) {
  std::vector<RequirementVerdict> all;
  for (const Requirement& requirement : requirements()) {
    RequirementVerdict judged{.id = requirement.id,
                              .level = requirement.level,
                              .sentence = requirement.sentence,
                              .family = requirement.family,
                              .verdict = std::string(by_weight.back()),
                              .tests = {}};
    for (std::size_t at = 0; at < report.tests.size(); ++at) {
      const TestVerdict& test = report.tests[at];
      if (std::find(test.requirements.begin(), test.requirements.end(), judged.id) == test.requirements.end()) continue;
      judged.tests.push_back(at);
      if (weight(test.verdict) < weight(judged.verdict)) judged.verdict = test.verdict;
    }
    if (!judged.tests.empty()) all.push_back(std::move(judged));
  }
  return all;
}

std::map<std::string, std::size_t> counts_of(const std::vector<RequirementVerdict>& requirements) {
  std::map<std::string, std::size_t> counts;
  for (const RequirementVerdict& requirement : requirements) ++counts[requirement.verdict];
  return counts;
}

std::string summary_of(const std::vector<RequirementVerdict>& requirements) {
  const auto counts = counts_of(requirements);
  std::string text;
  for (const char* verdict : {"pass", "fail", "known deviation", "inconclusive", "unsupported"}) {
    const auto count = counts.find(verdict);
    if (count == counts.end()) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count->second, verdict);
  }
  return text.empty() ? "nothing was judged" : text;
}

nlohmann::json to_json(const BackendReport& report) {
  nlohmann::json tests = nlohmann::json::array();
  for (const TestVerdict& test : report.tests) {
    tests.push_back({{"test", test.test},
                     {"requirements", test.requirements},
                     {"verdict", test.verdict},
                     {"reason", test.reason},
                     {"milliseconds", test.milliseconds},
                     {"replay", test.replay}});
  }
  nlohmann::json judged = nlohmann::json::array();
  const auto requirements = requirements_of(report);
  for (const RequirementVerdict& requirement : requirements) {
    judged.push_back({{"id", requirement.id},
                      {"level", requirement.level},
                      {"sentence", requirement.sentence},
                      {"verdict", requirement.verdict}});
  }
  return {{"backend", report.backend},         {"endpoint", report.endpoint}, {"seed", report.seed},
          {"counts", counts_of(requirements)}, {"requirements", judged},      {"tests", tests}};
}

BackendReport report_from_json(const nlohmann::json& json) {
  BackendReport report{
      .backend = json.at("backend"), .endpoint = json.at("endpoint"), .seed = json.at("seed"), .tests = {}};
  for (const nlohmann::json& test : json.at("tests")) {
    report.tests.push_back({.test = test.at("test"),
                            .requirements = test.at("requirements"),
                            .verdict = test.at("verdict"),
                            .reason = test.at("reason"),
                            .milliseconds = test.at("milliseconds"),
                            .replay = test.at("replay")});
  }
  return report;
}

std::string to_table(const BackendReport& report) {
  std::string table;
  const auto requirements = requirements_of(report);
  for (const RequirementVerdict& requirement : requirements) {
    table += fmt::format("{:<10} {:<6} {:<15} {}\n", requirement.id, requirement.level, requirement.verdict,
                         requirement.sentence);
    for (const std::size_t at : requirement.tests) {
      const TestVerdict& test = report.tests[at];
      if (test.verdict == "pass" || test.verdict == "unsupported") continue;
      table += fmt::format("           {}: {}: {}\n             replay: {}\n", test.verdict, test.test,
                           test.reason.substr(0, test.reason.find('\n')), test.replay);
    }
  }
  return table + fmt::format("{}: {}\n", report.backend, summary_of(requirements));
}

}  // namespace weir::conformance
