// REQUIREMENTS.md and the tests name the same ids.
#include "conformance/report/requirements.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "conformance/conformance.h"
#include "conformance/harness/judgement.h"

namespace weir::conformance {

// No backend is judged here.
BackendUnderTest backend_under_test() { return {}; }

namespace {

// By id; two of one id are a failure.
std::map<std::string, Requirement> by_id() {
  std::map<std::string, Requirement> all;
  for (const Requirement& requirement : requirements()) {
    EXPECT_TRUE(all.emplace(requirement.id, requirement).second) << requirement.id << " stands twice";
  }
  return all;
}

TEST(Requirements, EachHasATest) {
  std::set<std::string> judged;
  for (const Judgement& judgement : judgements()) {
    judged.insert(judgement.requirements.begin(), judgement.requirements.end());
  }
  const auto requirements = by_id();
  const auto musts = std::count_if(requirements.begin(), requirements.end(),
                                   [](const auto& entry) { return entry.second.level == "MUST"; });
  EXPECT_GE(musts, 80);
  for (const auto& [id, requirement] : requirements) EXPECT_TRUE(judged.contains(id)) << id << " has no test";
}

TEST(Requirements, EachTestJudgesOneThatStands) {
  const auto requirements = by_id();
  EXPECT_GT(judgements().size(), 100U);
  for (const Judgement& judgement : judgements()) {
    EXPECT_FALSE(judgement.requirements.empty()) << judgement.family << '.' << judgement.promise;
    for (const std::string& id : judgement.requirements) {
      EXPECT_TRUE(requirements.contains(id)) << judgement.family << '.' << judgement.promise << " judges " << id;
    }
  }
}

TEST(Requirements, NoTestOfTheSuiteIsWithoutARequirement) {
  const auto* program = ::testing::UnitTest::GetInstance();
  for (int suite = 0; suite < program->total_test_suite_count(); ++suite) {
    const auto& family = *program->GetTestSuite(suite);
    if (family.name() == std::string("Requirements")) continue;
    for (int test = 0; test < family.total_test_count(); ++test) {
      const char* promise = family.GetTestInfo(test)->name();
      EXPECT_NE(find_judgement(family.name(), promise), nullptr)
          << family.name() << '.' << promise << " was not declared by CONFORMANCE_TEST";
    }
  }
}

TEST(Requirements, EachIsOneSentenceWithALevel) {
  for (const auto& [id, requirement] : by_id()) {
    EXPECT_TRUE(requirement.level == "MUST" || requirement.level == "SHOULD") << id << ": " << requirement.level;
    EXPECT_EQ(requirement.sentence.back(), '.') << id;
  }
}

}  // namespace
}  // namespace weir::conformance

int main(int argc, char** argv) {
  // The suite's own tests are in this program only to be counted.
  ::testing::GTEST_FLAG(filter) = "Requirements.*";
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
