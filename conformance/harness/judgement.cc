#include "conformance/harness/judgement.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace weir::conformance {
namespace {

std::vector<Judgement>& registry() {
  static std::vector<Judgement> all;
  return all;
}

std::string& known_deviation() {
  static std::string reason;
  return reason;
}

bool& may_fail() {
  static bool declared = false;
  return declared;
}

struct Judged {
  Verdict verdict;
  std::string reason;
};

Judged judge(const ::testing::TestInfo& test) {
  const ::testing::TestResult& result = *test.result();
  std::string failures;
  std::string skip;
  for (int at = 0; at < result.total_part_count(); ++at) {
    const ::testing::TestPartResult& part = result.GetTestPartResult(at);
    if (part.failed()) {
      if (!failures.empty()) failures += '\n';
      if (part.file_name() != nullptr) failures += fmt::format("{}:{}: ", part.file_name(), part.line_number());
      // What GoogleTest says of a failure that has a message of its own.
      constexpr std::string_view failed = "Failed\n";
      const std::string_view message = part.message();
      failures += message.starts_with(failed) ? message.substr(failed.size()) : message;
    }
    if (part.skipped()) skip = part.message();
  }
  const std::string deviation = std::exchange(known_deviation(), {});
  if (result.Failed()) return {Verdict::fail, failures};
  if (!deviation.empty()) return {Verdict::known_deviation, deviation};
  if (!result.Skipped()) return {Verdict::pass, {}};
  // GoogleTest puts a line of its own before the message.
  const std::size_t mark = skip.find(unsupported_mark);
  if (mark != std::string::npos) return {Verdict::unsupported, skip.substr(mark + unsupported_mark.size())};
  const std::size_t reason = skip.find(inconclusive_mark);
  return {Verdict::inconclusive, reason == std::string::npos ? skip : skip.substr(reason + inconclusive_mark.size())};
}

}  // namespace

Judgement::Judgement(std::string of_family, std::string promised, std::vector<std::string> judged)
    : family(std::move(of_family)), promise(std::move(promised)), requirements(std::move(judged)) {
  registry().push_back(*this);
}

const std::vector<Judgement>& judgements() { return registry(); }

const Judgement* find_judgement(std::string_view family, std::string_view promise) {
  const auto found = std::find_if(registry().begin(), registry().end(), [&](const Judgement& judgement) {
    return judgement.family == family && judgement.promise == promise;
  });
  return found == registry().end() ? nullptr : &*found;
}

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "pass";
    case Verdict::fail:
      return "fail";
    case Verdict::unsupported:
      return "unsupported";
    case Verdict::known_deviation:
      return "known deviation";
    case Verdict::inconclusive:
      return "inconclusive";
  }
  return "unknown";
}

VerdictWriter::VerdictWriter(std::string backend) : backend_(std::move(backend)) {}

void VerdictWriter::note_declared_may_fail() { may_fail() = true; }

void VerdictWriter::note_known_deviation(std::string reason) { known_deviation() = std::move(reason); }

void VerdictWriter::write(const ::testing::TestInfo& test, Verdict verdict, const std::string& reason) {
  const char* directory = std::getenv("TEST_UNDECLARED_OUTPUTS_DIR");
  if (directory == nullptr) return;
  const Judgement* judgement = find_judgement(test.test_suite_name(), test.name());
  const nlohmann::json line{
      {"backend", backend_},
      {"family", test.test_suite_name()},
      {"test", test.name()},
      {"requirements", judgement == nullptr ? std::vector<std::string>() : judgement->requirements},
      {"verdict", to_string(verdict)},
      {"reason", reason},
      {"milliseconds", test.result()->elapsed_time()},
      {"declared_may_fail", std::exchange(may_fail(), false)},
  };
  std::ofstream(std::string(directory) + "/verdicts.jsonl", std::ios::app)
      << line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
}

void VerdictWriter::OnTestEnd(const ::testing::TestInfo& test) {
  const auto [verdict, reason] = judge(test);
  verdicts_[verdict].push_back(fmt::format("{}.{}: {}", test.test_suite_name(), test.name(), reason));
  write(test, verdict, reason);
}

void VerdictWriter::write_hung() {
  if (const auto* test = ::testing::UnitTest::GetInstance()->current_test_info(); test != nullptr) {
    write(*test, Verdict::fail, "hung, and was ended by the watchdog");
  }
}

void VerdictWriter::OnTestProgramEnd(const ::testing::UnitTest& /*program*/) {
  std::string counts;
  for (const auto& [verdict, tests] : verdicts_) {
    counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", tests.size(), to_string(verdict));
  }
  fmt::print("conformance of {}: {}\n", backend_, counts.empty() ? "nothing was judged" : counts);
  for (const Verdict loud : {Verdict::unsupported, Verdict::known_deviation, Verdict::inconclusive}) {
    for (const std::string& test : verdicts_[loud]) fmt::print("  {}: {}\n", to_string(loud), test);
  }
  std::fflush(stdout);
}

VerdictWriter*& verdict_writer() {
  static VerdictWriter* writer = nullptr;
  return writer;
}

}  // namespace weir::conformance
