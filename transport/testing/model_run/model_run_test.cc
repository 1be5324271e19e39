// The shared-memory transport itself, in every schedule within bounds: no violation.
//
// A sample: WEIR_EACH=8 in the environment runs each eighth branch (choices.h).
//
// One schedule again, step by step: --gtest_filter='*/SleeperIsWoken' with WEIR_SCHEDULE='17:go1 29:delay' in the
// environment. More schedules: WEIR_MODEL_PREEMPTIONS=1 adds one preemption to each scenario's bound.
#include <cstdlib>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "transport/testing/model_run/scenarios.h"

namespace weir::testing {
namespace {

class Model : public ::testing::TestWithParam<Scenario> {};

TEST_P(Model, KeepsItsPromisesInEverySchedule) {
  Scenario scenario = GetParam();
  if (const char* schedule = std::getenv("WEIR_SCHEDULE")) {
    EXPECT_EQ(replay(scenario, schedule, true).violation, "");
    return;
  }
  if (const char* more = std::getenv("WEIR_MODEL_PREEMPTIONS")) {
    scenario.bounds.preemptions += static_cast<unsigned>(std::strtoul(more, nullptr, 10));
  }
  const char* each = std::getenv("WEIR_EACH");
  const Report report = explore(scenario, each != nullptr ? std::strtoull(each, nullptr, 10) : 1);
  fmt::print("{}: {} schedules in {} of {} branches, {} points, {} violations\n", scenario.name, report.schedules,
             report.branches_run, report.branches, report.points, report.violation.empty() ? 0 : 1);
  EXPECT_GT(report.schedules, 100U) << "the points are not compiled in";
  EXPECT_EQ(report.violation, "") << "schedule: " << report.schedule;
}

INSTANTIATE_TEST_SUITE_P(All, Model, ::testing::ValuesIn(model_scenarios()),
                         [](const auto& scenario) { return scenario.param.name; });

}  // namespace
}  // namespace weir::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
