#include "conformance/performance/crew.h"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <stdexcept>
#include <utility>

#include <gtest/gtest.h>

#include "conformance/performance/meeting.h"

namespace weir::performance {
namespace {

constexpr std::chrono::seconds patience(60);

void expect_no_children() {
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

// A crew of two.
Crew pair(std::function<double()> measure, std::function<void()> oppose) {
  return {.measure = [measure = std::move(measure)] { return Measurement{.figure = measure()}; },
          .others = {std::move(oppose)}};
}

TEST(Crew, ReturnsTheMeasurementOfTheFirstAfterBothMet) {
  const Meeting meeting;
  const Crew crew{.measure =
                      [&] {
                        meeting.meet();
                        return Measurement{.figure = 42.5, .spread = {1, 2.25, 3}};
                      },
                  .others = {[&] { meeting.meet(); }}};
  const auto measured = run_crew(crew, Placement(), patience);
  ASSERT_TRUE(measured) << measured.error().message();
  EXPECT_EQ(measured->figure, 42.5);
  EXPECT_EQ(measured->spread, (std::vector<double>{1, 2.25, 3}));
  expect_no_children();
}

TEST(Crew, ThreadsOfOneProcessMeetToo) {
  const SharedMemory<std::atomic<pid_t>> opposite;
  const Meeting meeting;
  Crew crew = pair(
      [&] {
        meeting.meet();
        return opposite->load() == getpid() ? 1.0 : 0.0;
      },
      [&] {
        opposite->store(getpid());
        meeting.meet();
      });
  crew.threads = true;
  const auto measured = run_crew(crew, Placement(), patience);
  ASSERT_TRUE(measured) << measured.error().message();
  EXPECT_EQ(measured->figure, 1.0);
}

TEST(Crew, FailureOfAThreadEndsTheOthersAndNamesTheReason) {
  Crew crew = pair(
      [] {
        pause();
        return 0.0;
      },
      [] { throw std::runtime_error("no such peer"); });
  crew.threads = true;
  const auto measured = run_crew(crew, Placement(), patience);
  ASSERT_FALSE(measured);
  EXPECT_NE(measured.error().message().find("opposite thread: no such peer"), std::string::npos)
      << measured.error().message();
  expect_no_children();
}

TEST(Crew, PinsTheTwoToDifferentProcessorsWhereThereAreTwo) {
  const Placement placement = find_placement();
  if (!placement.processors) {
    EXPECT_TRUE(placement.text.starts_with("not pinned: ")) << placement.text;
    GTEST_SKIP() << placement.text;
  }
  EXPECT_NE((*placement.processors)[0], (*placement.processors)[1]);
  const SharedMemory<std::atomic<int>> opposite;
  const auto measured =
      run_crew(pair([] { return static_cast<double>(sched_getcpu()); }, [&] { opposite->store(sched_getcpu()); }),
               placement, patience);
  ASSERT_TRUE(measured) << measured.error().message();
  EXPECT_EQ(measured->figure, (*placement.processors)[0]);
  EXPECT_EQ(opposite->load(), (*placement.processors)[1]);
}

double wait_for_ever() {
  pause();
  return 0;
}

TEST(Crew, FailureOfTheSecondEndsTheFirstAndNamesTheReason) {
  const auto measured =
      run_crew(pair(wait_for_ever, [] { throw std::runtime_error("no such peer"); }), Placement(), patience);
  ASSERT_FALSE(measured);
  EXPECT_EQ(measured.error().code(), ErrorCode::internal);
  EXPECT_NE(measured.error().message().find("opposite process: no such peer"), std::string::npos)
      << measured.error().message();
  expect_no_children();
}

double die() {
  raise(SIGKILL);
  return 0;
}

TEST(Crew, DeathByASignalIsAnErrorThatNamesIt) {
  const auto measured = run_crew(pair(die, [] { pause(); }), Placement(), patience);
  ASSERT_FALSE(measured);
  EXPECT_NE(measured.error().message().find("signal 9"), std::string::npos) << measured.error().message();
  expect_no_children();
}

TEST(Crew, TheVictimAloneMayBeKilled) {
  Crew crew = pair([] { return 7.0; }, [] { die(); });
  EXPECT_FALSE(run_crew(crew, Placement(), patience));
  crew.victim = 0;
  const auto measured = run_crew(crew, Placement(), patience);
  ASSERT_TRUE(measured) << measured.error().message();
  EXPECT_EQ(measured->figure, 7);
  expect_no_children();
}

TEST(Crew, GivesUpWhenPatienceEnds) {
  const auto measured = run_crew(pair(wait_for_ever, [] { pause(); }), Placement(), std::chrono::seconds(0));
  ASSERT_FALSE(measured);
  EXPECT_EQ(measured.error().code(), ErrorCode::timed_out);
  expect_no_children();
}

}  // namespace
}  // namespace weir::performance
