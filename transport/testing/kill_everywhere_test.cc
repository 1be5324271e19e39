// Shared memory that no death breaks: a victim is killed, or stopped and let go on, at every point that it passes.
//
// One point again: --gtest_filter='*Killed/DurablePublisher' with WEIR_POINT=137 in the environment.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "transport/testing/points.h"
#include "transport/testing/scene.h"

namespace weir::testing {
namespace {

// A scene that has not ended by then hangs: it takes milliseconds.
constexpr unsigned watchdog_seconds = 30;
std::string running;

void name_the_hang(int /*signal*/) {
  const std::string line = running + " hangs\n";
  static_cast<void>(!write(STDERR_FILENO, line.data(), line.size()));
  abort();
}

pid_t begin_victim(const Scenario& scenario, Scene& scene, std::uint64_t number, int signal) {
  const pid_t victim = fork();
  if (victim == 0) {
    VictimReport& report = scene.report();
    report_to(report.at);
    try {
      arm(number, signal);
      scenario.act(scene);
      report.points = disarm();
      report.finished = true;
    } catch (const std::exception& thrown) {
      disarm();
      fmt::format_to_n(report.failure, sizeof(report.failure) - 1, "{}", thrown.what());
    }
    _exit(0);
  }
  return victim;
}

int end_of(pid_t victim) {
  int status = 0;
  if (waitpid(victim, &status, WUNTRACED) != victim) throw std::runtime_error("the victim is not ours");
  return status;
}

// Plays the scene with a signal at one point. Returns whether the point was reached.
bool play(const Scenario& scenario, std::uint64_t number, int signal, std::uint64_t* points = nullptr) {
  running = fmt::format("{} with signal {} at point {}", scenario.name, signal, number);
  const ::testing::ScopedTrace trace(__FILE__, __LINE__, running);
  alarm(watchdog_seconds);
  Scene scene;
  bool reached = false;
  try {
    scenario.prepare(scene);
    const pid_t victim = begin_victim(scenario, scene, number, signal);
    int status = end_of(victim);
    reached = WIFSIGNALED(status) || WIFSTOPPED(status);
    if (WIFSTOPPED(status)) {
      scenario.while_stopped(scene);
      ::kill(victim, SIGCONT);
      status = end_of(victim);
      EXPECT_TRUE(scene.report().finished)
          << "after it was stopped at " << scene.report().at << ": " << scene.report().failure;
    }
    EXPECT_STREQ(scene.report().failure, "");
    scenario.judge(scene);
  } catch (const std::exception& thrown) {
    ADD_FAILURE() << thrown.what();
  }
  EXPECT_TRUE(scene.is_clean());
  if (points != nullptr) *points = scene.report().points;
  if (::testing::Test::HasFailure()) {
    fmt::print("the victim got its signal before {}\n", reached ? scene.report().at : "nothing");
  }
  alarm(0);
  return reached;
}

class Everywhere : public ::testing::TestWithParam<Scenario> {
 protected:
  void SetUp() override { std::signal(SIGALRM, name_the_hang); }

  static void play_all(int signal, std::string_view what) {
    if (const char* chosen = std::getenv("WEIR_POINT")) {
      play(GetParam(), std::strtoull(chosen, nullptr, 10), signal);
      return;
    }
    std::uint64_t points = 0;
    ASSERT_FALSE(play(GetParam(), no_point, signal, &points));
    ASSERT_GT(points, 20U) << "the points are not compiled in";
    std::uint64_t recovered = 0;
    for (std::uint64_t number = 1; number <= points && !HasFailure(); ++number) {
      EXPECT_TRUE(play(GetParam(), number, signal)) << "point " << number << " was not reached";
      recovered += HasFailure() ? 0 : 1;
    }
    fmt::print("{}: {} {} points, {} recovered, {} leaked\n", GetParam().name, points, what, recovered,
               HasFailure() ? "at least 1" : "0");
  }
};

TEST_P(Everywhere, Killed) { play_all(SIGKILL, "kill"); }

TEST_P(Everywhere, StoppedAndLetGoOn) {
  if (!GetParam().while_stopped) GTEST_SKIP() << "nobody else is there while it works";
  play_all(SIGSTOP, "stop");
}

INSTANTIATE_TEST_SUITE_P(Points, Everywhere, ::testing::ValuesIn(scenarios()),
                         [](const auto& scenario) { return scenario.param.name; });

}  // namespace
}  // namespace weir::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
