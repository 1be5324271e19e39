// What is read from RouDi's log: whom it took for dead, and whether it was wrong.
#include "conformance/backends/starvation.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/iceoryx/roudi_process.h"
#include "transport/node.h"

namespace weir::conformance {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A child that stops itself, so that whoever waits for it knows where it is.
class Child {
 public:
  template <class Life>
  explicit Child(Life life) : pid_(fork()) {
    if (pid_ == 0) {
      life();
      raise(SIGSTOP);
      _exit(0);
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  // Whether it has come to its stop.
  [[nodiscard]] bool stopped() const {
    int status = 0;
    return waitpid(pid_, &status, WUNTRACED) == pid_ && WIFSTOPPED(status);
  }

 private:
  pid_t pid_;
};

std::string line(pid_t process) {
  return fmt::format(
      "2026-11-22 12:00:00.000 [Warning]: Application weir-{}-0123456789abcdef not responding (last "
      "response 1503 milliseconds ago) --> removing it\n",
      process);
}

// What is found in a log with this line.
std::string found_in(const std::string& log) {
  Starvation starvation;
  EXPECT_EQ(write(starvation.log(), log.data(), log.size()), static_cast<ssize_t>(log.size()));
  starvation.started();
  starvation.ended();
  return starvation.found();
}

TEST(Starvation, AProcessThatLivesAndGoesOnIsFound) {
  EXPECT_THAT(found_in("a line\n" + line(getpid()) + "another\n"), HasSubstr(fmt::format("process {} ", getpid())));
}

TEST(Starvation, AStoppedOneIsRightlyTakenForDead) {
  const Child child([] {});
  ASSERT_TRUE(child.stopped());
  EXPECT_THAT(found_in(line(child.pid())), IsEmpty());
}

TEST(Starvation, AKilledOneIsRightlyTakenForDead) {
  pid_t killed = 0;
  {
    const Child child([] {});
    killed = child.pid();
    kill(killed, SIGKILL);
    siginfo_t ended{};
    ASSERT_EQ(waitid(P_PID, static_cast<id_t>(killed), &ended, WEXITED | WNOWAIT), 0);
    EXPECT_THAT(found_in(line(killed)), IsEmpty()) << "a zombie";
  }
  EXPECT_THAT(found_in(line(killed)), IsEmpty());
}

TEST(Starvation, OtherLinesSayNothing) {
  EXPECT_THAT(found_in(""), IsEmpty());
  EXPECT_THAT(found_in(" not responding (last response 1 milliseconds ago)\n"), IsEmpty());
  EXPECT_THAT(found_in("Application native not responding (last response 1503 milliseconds ago)\n"), IsEmpty());
  EXPECT_THAT(found_in("Application a-x-0123456789abcdef not responding (last response 1503 milliseconds ago)\n"),
              IsEmpty());
}

// That RouDi's lines are what they are taken for: with a real one, which loses a real process.
TEST(Starvation, ARealRoudiNamesTheProcessThatItTakesForDead) {
  std::array<int, 2> log{};
  std::array<int, 2> go{};
  ASSERT_EQ(pipe(log.data()), 0);
  ASSERT_EQ(pipe(go.data()), 0);
  const Child child([&] {
    char word = 0;
    if (read(go[0], &word, 1) != 1) _exit(1);
    auto node = Node::open();
    const auto publisher = node->publisher("iceoryx://starvation/of/one");
    if (!publisher) _exit(2);
    raise(SIGSTOP);
  });
  auto roudi = iceoryx::RoudiProcess::start({{.payload = 256, .count = 64}}, true, log[1]);
  ASSERT_TRUE(roudi) << roudi.error().message();
  close(log[1]);
  ASSERT_EQ(write(go[1], "g", 1), 1);
  ASSERT_TRUE(child.stopped());
  FILE* lines = fdopen(log[0], "r");
  std::array<char, 1000> text{};
  std::optional<pid_t> taken;
  while (!taken && fgets(text.data(), text.size(), lines) != nullptr) taken = taken_for_dead(text.data());
  EXPECT_EQ(taken, child.pid()) << text.data();
  roudi->reset();
  fclose(lines);
  for (const int end : go) close(end);
}

}  // namespace
}  // namespace weir::conformance
