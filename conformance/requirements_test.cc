// REQUIREMENTS.md and the tests name the same ids.
#include <algorithm>
#include <fstream>
#include <map>
#include <regex>
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

std::string path_of_requirements;

struct Requirement {
  std::string level;
  std::string sentence;
};

// The lines of the form "| ORD-1 | MUST | A sentence. |"; two of one id are a failure.
std::map<std::string, Requirement> read_requirements() {
  static const std::regex line_of_table(R"(\| *([A-Z]+-[0-9]+) *\| *([A-Z]+) *\| *(.*[^ ]) *\|)");
  std::map<std::string, Requirement> requirements;
  std::ifstream file(path_of_requirements);
  EXPECT_TRUE(file) << path_of_requirements;
  for (std::string line; std::getline(file, line);) {
    std::smatch parts;
    if (!std::regex_match(line, parts, line_of_table)) continue;
    EXPECT_TRUE(requirements.emplace(parts[1], Requirement{parts[2], parts[3]}).second) << parts[1] << " stands twice";
  }
  return requirements;
}

TEST(Requirements, EachHasATest) {
  std::set<std::string> judged;
  for (const Judgement& judgement : judgements()) {
    judged.insert(judgement.requirements.begin(), judgement.requirements.end());
  }
  const auto requirements = read_requirements();
  EXPECT_GT(requirements.size(), 50U);
  for (const auto& [id, requirement] : requirements) EXPECT_TRUE(judged.contains(id)) << id << " has no test";
}

TEST(Requirements, EachTestJudgesOneThatStands) {
  const auto requirements = read_requirements();
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
  for (const auto& [id, requirement] : read_requirements()) {
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
  weir::conformance::path_of_requirements = argc > 1 ? argv[1] : "conformance/REQUIREMENTS.md";
  return RUN_ALL_TESTS();
}
