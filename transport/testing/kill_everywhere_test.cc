// Shared memory that no death breaks: a victim is killed, or stopped and let go on, at every point that it passes.
//
// One point again: --gtest_filter='*Killed/DurablePublisher' with WEIR_POINT=137 in the environment. One pair of
// points:
// --gtest_filter='*KilledAndThenItsSuccessor/DurablePublisher' with WEIR_POINT=137,45; as many pairs, at random, as
// WEIR_PAIRS says. A sample: WEIR_EACH=8 takes each eighth point, of each scenario from another on.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <random>
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

// When victims get which signal: one, or a second one that does the same after the first is dead.
struct Signals {
  int number;
  std::uint64_t first_point;
  std::uint64_t second_point = 0;  // 0: there is no second victim
};

// Lets one victim play. Returns whether it got its signal.
bool play_victim(const Scenario& scenario, Scene& scene, std::uint64_t point, int signal) {
  scene.report().finished = false;
  const pid_t victim = begin_victim(scenario, scene, point, signal);
  int status = end_of(victim);
  const bool reached = WIFSIGNALED(status) || WIFSTOPPED(status);
  scene.report().victims += reached ? 1 : 0;
  if (WIFSTOPPED(status)) {
    scenario.while_stopped(scene);
    ::kill(victim, SIGCONT);
    status = end_of(victim);
    EXPECT_TRUE(scene.report().finished) << "after it was stopped at " << scene.report().at << ": "
                                         << scene.report().failure;
  }
  return reached;
}

// Plays the scene. Returns whether the (last) victim got its signal.
bool play(const Scenario& scenario, const Signals& signals, std::uint64_t* points = nullptr) {
  running = fmt::format("{} with signal {} at point {}{}", scenario.name, signals.number, signals.first_point,
                        signals.second_point == 0 ? "" : fmt::format(" and then {}", signals.second_point));
  const ::testing::ScopedTrace trace(__FILE__, __LINE__, running);
  alarm(watchdog_seconds);
  Scene scene;
  bool reached = false;
  try {
    scenario.prepare(scene);
    reached = play_victim(scenario, scene, signals.first_point, signals.number);
    if (signals.second_point != 0) reached = play_victim(scenario, scene, signals.second_point, signals.number);
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

  static void count_points(std::uint64_t& points) {
    ASSERT_FALSE(play(GetParam(), {.number = SIGKILL, .first_point = no_point}, &points));
    ASSERT_GT(points, 20U) << "the points are not compiled in";
  }

  static void play_all(int signal, std::string_view what) {
    if (const char* chosen = std::getenv("WEIR_POINT")) {
      play(GetParam(), {.number = signal, .first_point = std::strtoull(chosen, nullptr, 10)});
      return;
    }
    std::uint64_t points = 0;
    ASSERT_NO_FATAL_FAILURE(count_points(points));
    const char* wanted = std::getenv("WEIR_EACH");
    const std::uint64_t each = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 1;
    std::uint64_t tried = 0;
    std::uint64_t recovered = 0;
    for (std::uint64_t number = 1 + std::hash<std::string>()(GetParam().name) % each; number <= points && !HasFailure();
         number += each) {
      EXPECT_TRUE(play(GetParam(), {.number = signal, .first_point = number}))
          << "point " << number << " was not reached";
      ++tried;
      recovered += HasFailure() ? 0 : 1;
    }
    EXPECT_GT(tried, 0U);
    fmt::print("{}: {} {} points, {} tried, {} recovered, {} leaked\n", GetParam().name, points, what, tried, recovered,
               HasFailure() ? "at least 1" : "0");
  }
};

TEST_P(Everywhere, Killed) { play_all(SIGKILL, "kill"); }

TEST_P(Everywhere, StoppedAndLetGoOn) {
  if (!GetParam().while_stopped) GTEST_SKIP() << "nobody else is there while it works";
  play_all(SIGSTOP, "stop");
}

// Deaths at two points, of one and of who comes after it: a sample of the pairs.
TEST_P(Everywhere, KilledAndThenItsSuccessor) {
  if (!GetParam().again) GTEST_SKIP() << "its successor would be judged otherwise";
  if (const char* chosen = std::getenv("WEIR_POINT")) {
    char* second = nullptr;
    const std::uint64_t first = std::strtoull(chosen, &second, 10);
    ASSERT_EQ(*second, ',') << "WEIR_POINT is not a pair such as 137,45";
    play(GetParam(), {.number = SIGKILL, .first_point = first, .second_point = std::strtoull(second + 1, nullptr, 10)});
    return;
  }
  std::uint64_t points = 0;
  ASSERT_NO_FATAL_FAILURE(count_points(points));
  const char* wanted = std::getenv("WEIR_PAIRS");
  const std::uint64_t pairs = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 60;
  std::mt19937_64 random(std::random_device{}());
  std::uniform_int_distribution<std::uint64_t> any(1, points);
  std::uint64_t recovered = 0;
  std::uint64_t both = 0;  // the second has another way to go, and may come to its end before
  while (recovered < pairs && !HasFailure()) {
    const std::uint64_t first = any(random);
    both += play(GetParam(), {.number = SIGKILL, .first_point = first, .second_point = any(random)}) ? 1 : 0;
    recovered += HasFailure() ? 0 : 1;
  }
  EXPECT_GT(both, pairs / 4);
  fmt::print("{}: {} pairs of kill points of {} squared, {} recovered, {} leaked; the second was reached in {}\n",
             GetParam().name, pairs, points, recovered, HasFailure() ? "at least 1" : "0", both);
}

INSTANTIATE_TEST_SUITE_P(Points, Everywhere, ::testing::ValuesIn(scenarios()),
                         [](const auto& scenario) { return scenario.param.name; });

}  // namespace
}  // namespace weir::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
