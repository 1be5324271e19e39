// The suite catches every saboteur by the requirement that it breaks, and passes the good backends beneath them.
#include <algorithm>
#include <cctype>
#include <chrono>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "conformance/conformance.h"
#include "conformance/harness/judgement.h"
#include "conformance/harness/performer.h"
#include "conformance/judge/test_process.h"
#include "conformance/saboteurs/saboteur.h"

namespace weir::conformance {
namespace {

using namespace std::chrono_literals;

TestVerdict judge(const Sabotage& sabotage, bool as_saboteur) {
  TestLimits limits;
  limits.seed = 1;
  limits.memory = 1ULL << 30U;
  limits.budget = 1s;
  if (as_saboteur && sabotage.hangs) limits.patience = 2s;
  return run_test(
      sabotage.test, limits,
      {{saboteur_variable, as_saboteur ? sabotage.name : ""}, {across_variable, sabotage.across_processes ? "1" : ""}});
}

class Saboteurs : public ::testing::TestWithParam<Sabotage> {};

TEST_P(Saboteurs, IsCaughtByTheRequirementThatItBreaks) {
  const Sabotage& sabotage = GetParam();
#if defined(__SANITIZE_ADDRESS__)
  if (sabotage.sign.find("forked child ended") != std::string::npos) {
    GTEST_SKIP() << "the sanitizer ends a child that reads what it must not, before the kernel does";
  }
#endif
  const TestVerdict verdict = judge(sabotage, true);
  EXPECT_EQ(verdict.verdict, "fail") << "who " << sabotage.name << " was not caught by " << sabotage.test;
  EXPECT_NE(std::find(verdict.requirements.begin(), verdict.requirements.end(), sabotage.requirement),
            verdict.requirements.end())
      << sabotage.test << " does not judge " << sabotage.requirement;
  EXPECT_FALSE(sabotage.sign.empty());
  EXPECT_NE(verdict.reason.find(sabotage.sign), std::string::npos)
      << "not for " << sabotage.sign << ": " << verdict.reason;
  RecordProperty("reason", verdict.reason);
}

TEST_P(Saboteurs, TheGoodOneBeneathPasses) {
  const TestVerdict verdict = judge(GetParam(), false);
  EXPECT_EQ(verdict.verdict, "pass") << verdict.test << ": " << verdict.reason;
}

std::string name_of(const ::testing::TestParamInfo<Sabotage>& test) {
  std::string name = test.param.name;
  std::replace_if(
      name.begin(), name.end(), [](unsigned char each) { return std::isalnum(each) == 0; }, '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(All, Saboteurs, ::testing::ValuesIn(sabotages()), name_of);

TEST(SaboteursTogether, EveryFamilyCatchesOne) {
  std::set<std::string> families;
  std::set<std::string> catching;
  std::set<std::string> names;
  for (const Judgement& judgement : judgements()) families.insert(judgement.family);
  for (const Sabotage& sabotage : sabotages()) {
    catching.insert(sabotage.test.substr(0, sabotage.test.find('.')));
    EXPECT_TRUE(names.insert(sabotage.name).second) << sabotage.name << " stands twice";
  }
  EXPECT_GE(sabotages().size(), 25U);
  EXPECT_EQ(catching, families);
}

}  // namespace
}  // namespace weir::conformance

int main(int argc, char** argv) {
  if (weir::conformance::peer_main(argc, argv)) return 0;
  if (const int status = weir::conformance::test_main(argc, argv); status >= 0) return status;
  // The suite's own tests are run by the saboteurs' only.
  ::testing::GTEST_FLAG(filter) = "*Saboteurs*";
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
