#include "conformance/performance/process_pair.h"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <stdexcept>

#include <gtest/gtest.h>

#include "conformance/performance/meeting.h"

namespace weir::performance {
namespace {

constexpr std::chrono::seconds patience(60);

void expect_no_children() {
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(ProcessPair, ReturnsTheFigureOfTheFirstAfterBothMet) {
  const Meeting meeting;
  const auto figure = run_pair({.measure = [&] { return meeting.meet(), 42.5; }, .oppose = [&] { meeting.meet(); }},
                               Placement(), patience);
  ASSERT_TRUE(figure) << figure.error().message();
  EXPECT_EQ(*figure, 42.5);
  expect_no_children();
}

TEST(ProcessPair, PinsTheTwoToDifferentProcessorsWhereThereAreTwo) {
  const Placement placement = find_placement();
  if (!placement.processors) {
    EXPECT_TRUE(placement.text.starts_with("not pinned: ")) << placement.text;
    GTEST_SKIP() << placement.text;
  }
  EXPECT_NE((*placement.processors)[0], (*placement.processors)[1]);
  const SharedMemory<std::atomic<int>> opposite;
  const auto figure = run_pair({.measure = [] { return static_cast<double>(sched_getcpu()); },
                                .oppose = [&] { opposite->store(sched_getcpu()); }},
                               placement, patience);
  ASSERT_TRUE(figure) << figure.error().message();
  EXPECT_EQ(*figure, (*placement.processors)[0]);
  EXPECT_EQ(opposite->load(), (*placement.processors)[1]);
}

TEST(ProcessPair, FailureOfTheSecondEndsTheFirstAndNamesTheReason) {
  const auto figure = run_pair({.measure =
                                    [] {
                                      pause();
                                      return 0.0;
                                    },
                                .oppose = [] { throw std::runtime_error("no such peer"); }},
                               Placement(), patience);
  ASSERT_FALSE(figure);
  EXPECT_EQ(figure.error().code(), ErrorCode::internal);
  EXPECT_NE(figure.error().message().find("opposite process: no such peer"), std::string::npos)
      << figure.error().message();
  expect_no_children();
}

TEST(ProcessPair, DeathByASignalIsAnErrorThatNamesIt) {
  const auto figure = run_pair({.measure =
                                    [] {
                                      raise(SIGKILL);
                                      return 0.0;
                                    },
                                .oppose = [] { pause(); }},
                               Placement(), patience);
  ASSERT_FALSE(figure);
  EXPECT_NE(figure.error().message().find("signal 9"), std::string::npos) << figure.error().message();
  expect_no_children();
}

TEST(ProcessPair, GivesUpWhenPatienceEnds) {
  const auto figure = run_pair({.measure =
                                    [] {
                                      pause();
                                      return 0.0;
                                    },
                                .oppose = [] { pause(); }},
                               Placement(), std::chrono::seconds(0));
  ASSERT_FALSE(figure);
  EXPECT_EQ(figure.error().code(), ErrorCode::timed_out);
  expect_no_children();
}

}  // namespace
}  // namespace weir::performance
