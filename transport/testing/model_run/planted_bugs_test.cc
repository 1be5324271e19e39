// What the model run is worth: each bug that was planted (planted_bugs.txt) is found, with a schedule that shows it.
#include <algorithm>
#include <iterator>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "transport/testing/model_run/planted.h"
#include "transport/testing/model_run/scenarios.h"

namespace weir::testing {
namespace {

struct Bug {
  const char* name;
  const char* scenario;
  const char* what_is_wrong;
};

constexpr Bug bugs[] = {
#include "transport/testing/model_run/planted/bugs.inc"
};

class Planted : public ::testing::TestWithParam<int> {
 protected:
  void TearDown() override { chosen_bug = -1; }
};

TEST_P(Planted, IsFound) {
  const Bug& bug = bugs[GetParam()];
  const auto& all = model_scenarios();
  const auto scenario =
      std::find_if(all.begin(), all.end(), [&](const Scenario& one) { return one.name == bug.scenario; });
  ASSERT_NE(scenario, all.end()) << bug.scenario;
  chosen_bug = GetParam();
  const Report report = explore(*scenario);
  ASSERT_NE(report.violation, "") << "not found in " << report.schedules << " schedules: " << bug.what_is_wrong;
  fmt::print("planted: {}.\n  found in {}, schedule {}: \"{}\": {}\n", bug.what_is_wrong, bug.scenario,
             report.schedules, report.schedule, report.violation);
  EXPECT_EQ(replay(*scenario, report.schedule, false).violation, report.violation) << "and not found again";
}

INSTANTIATE_TEST_SUITE_P(All, Planted, ::testing::Range(0, static_cast<int>(std::size(bugs))),
                         [](const auto& number) { return std::string(bugs[number.param].name); });

}  // namespace
}  // namespace weir::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
