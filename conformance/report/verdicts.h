// What became of each test and of each requirement of one backend; as JSON and as a table for a terminal.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace weir::conformance {

// The verdicts' names are those of to_string(Verdict) in judgement.h.
struct TestVerdict {
  std::string test;  // "Ordering.NothingComesTwice"
  std::vector<std::string> requirements;
  std::string verdict;
  std::string reason;  // what happened; empty for a pass
  std::int64_t milliseconds = 0;
  std::string replay;  // a command
};

struct RequirementVerdict {
  std::string id;
  std::string level;
  std::string sentence;
  std::string family;
  std::string verdict;
  std::vector<std::size_t> tests;  // numbers in BackendReport::tests
};

struct BackendReport {
  std::string backend;
  std::string endpoint;
  std::uint64_t seed = 0;
  std::vector<TestVerdict> tests;
};

// The requirements that some test of the report judges, in the order of REQUIREMENTS.md. The worst verdict of its tests
// is that of a requirement: fail, known deviation, inconclusive, pass, unsupported.
[[nodiscard]] std::vector<RequirementVerdict> requirements_of(const BackendReport& report);

// How many requirements have each verdict.
[[nodiscard]] std::map<std::string, std::size_t> counts_of(const std::vector<RequirementVerdict>& requirements);
// "120 pass, 3 unsupported"
[[nodiscard]] std::string summary_of(const std::vector<RequirementVerdict>& requirements);

[[nodiscard]] nlohmann::json to_json(const BackendReport& report);
// Throws nlohmann::json::exception for what is no such report.
[[nodiscard]] BackendReport report_from_json(const nlohmann::json& json);

// One line for each requirement, and under those that did not pass what happened.
[[nodiscard]] std::string to_table(const BackendReport& report);

}  // namespace weir::conformance
