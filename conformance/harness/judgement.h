// Which test judges which requirement, and what became of it.
//
// Every test of the suite is registered with the ids of the requirements (REQUIREMENTS.md) that it judges. When it
// ends, its verdict is written as one line of JSON to verdicts.jsonl in $TEST_UNDECLARED_OUTPUTS_DIR, if that is set.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace weir::conformance {

struct Judgement {
  std::string family;   // the GoogleTest suite
  std::string promise;  // the test
  std::vector<std::string> requirements;

  // Registers it.
  Judgement(std::string of_family, std::string promised, std::vector<std::string> judged);
};

// All of this program.
[[nodiscard]] const std::vector<Judgement>& judgements();
// Null for a test that was not registered.
[[nodiscard]] const Judgement* find_judgement(std::string_view family, std::string_view promise);

enum class Verdict {
  pass,
  fail,
  unsupported,      // not promised, and refused where it can be asked for
  known_deviation,  // failed as declared
  inconclusive,     // this machine does not allow the test: neither a pass nor a failure
};

[[nodiscard]] std::string_view to_string(Verdict verdict);

// What a skipped test says first; whoever skips without one of these is inconclusive.
inline constexpr std::string_view unsupported_mark = "unsupported: ";
inline constexpr std::string_view inconclusive_mark = "inconclusive: ";

// Writes the verdicts and, at the end of the program, how many there were of each, with the inconclusive ones by name.
class VerdictWriter : public ::testing::EmptyTestEventListener {
 public:
  explicit VerdictWriter(std::string backend);
  void OnTestEnd(const ::testing::TestInfo& test) override;
  void OnTestProgramEnd(const ::testing::UnitTest& program) override;

  // The running test failed as declared, for this reason. (Its failures were kept from GoogleTest.)
  static void note_known_deviation(std::string reason);
  // The running test is declared to fail now and then: whether it does this time is no verdict on the backend.
  static void note_declared_may_fail();
  // The process is about to be ended by the watchdog: the running test failed.
  void write_hung();

 private:
  void write(const ::testing::TestInfo& test, Verdict verdict, const std::string& reason);

  std::string backend_;
  std::map<Verdict, std::vector<std::string>> verdicts_;
};

// The one of this program; null before main().
[[nodiscard]] VerdictWriter*& verdict_writer();

}  // namespace weir::conformance
