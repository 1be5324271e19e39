// The harness itself, with peers that are processes: they use inproc:// within one process, which is enough to see that
// scripts run, logs survive, signals work and nothing is left.
#include "conformance/harness/peer.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/harness/failure.h"
#include "conformance/harness/sandbox.h"
#include "conformance/harness/script.h"
#include "conformance/harness/watchdog.h"
#include "conformance/history/check.h"

namespace weir::conformance {
namespace {

constexpr const char* topic = "inproc://peer_test?depth=16";

Outcome echo(Actor& /*actor*/, const std::string& argument) { return {.value = argument.size(), .text = argument}; }
const Script echo_script("echo", echo);

Outcome crash(Actor& /*actor*/, const std::string& /*argument*/) {
  ::raise(SIGTERM);
  return {};
}
const Script crash_script("crash", crash);

class PeerTest : public ::testing::TestWithParam<Home> {};

TEST_P(PeerTest, DoesWhatItIsToldAndLogsIt) {
  ScriptedPeer peer("peer", GetParam());
  auto subscriber = peer.subscriber(topic);
  auto publisher = peer.publisher(topic);
  publisher.wait_for_subscribers(1);
  EXPECT_EQ(publisher.publish({.count = 20, .size = 100, .size_most = 5000, .header_size = 12}), 20U);
  EXPECT_TRUE(subscriber.readable());
  EXPECT_EQ(subscriber.hold(3), 3U);
  EXPECT_EQ(subscriber.release(3), 3U);
  EXPECT_EQ(subscriber.take_all(), 13U);
  EXPECT_TRUE(check_range(subscriber.events(), publisher.id(), 0, 20).empty());
  EXPECT_TRUE(check_content(subscriber.events()).empty());
  EXPECT_TRUE(check_origin(subscriber.events(), publisher.events()).empty());
  EXPECT_EQ(publisher.events(EventKind::published).size(), 20U);
  EXPECT_EQ(subscriber.events(EventKind::released).size(), 3U);
  EXPECT_EQ(subscriber.try_wait(std::chrono::nanoseconds(0)).wake, Wake::deadline);
  EXPECT_EQ(peer.end(), "");
}

TEST_P(PeerTest, ReturnsTheErrorsOfTheCallsUnderTest) {
  ScriptedPeer peer("peer", GetParam());
  EXPECT_TRUE(peer.try_publisher("nothing://there").is(ErrorCode::not_found));
  EXPECT_THROW(peer.publisher("nothing://there"), HarnessFailure);
  EXPECT_EQ(peer.end(), "");
}

TEST_P(PeerTest, RunsScriptsOfTheTestsOwn) {
  ScriptedPeer peer("peer", GetParam());
  const Outcome outcome = peer.run("echo", "some text");
  EXPECT_EQ(outcome.text, "some text");
  EXPECT_EQ(outcome.value, 9U);
  EXPECT_THROW(static_cast<void>(peer.run("unheard of")), HarnessFailure);
  EXPECT_EQ(peer.end(), "");
}

TEST_P(PeerTest, GoesOnUntilItIsHalted) {
  ScriptedPeer peer("peer", GetParam());
  auto publisher = peer.publisher(topic);
  publisher.begin_publish({.count = endless});
  peer.wait_for_events(1000);
  peer.halt();
  EXPECT_GT(peer.finish_well(), 100U);
  EXPECT_EQ(peer.end(), "");
}

TEST_P(PeerTest, IsSeenToBeBlocked) {
  ScriptedPeer peer("peer", GetParam());
  auto subscriber = peer.subscriber(topic);
  subscriber.begin_wait(std::chrono::milliseconds(30));
  peer.wait_until_blocked();
  EXPECT_EQ(peer.finish().wake, Wake::deadline);
  EXPECT_EQ(peer.end(), "");
}

INSTANTIATE_TEST_SUITE_P(Homes, PeerTest, ::testing::Values(Home::process, Home::thread),
                         [](const auto& home) { return home.param == Home::process ? "Process" : "Thread"; });

TEST(PeerProcess, TheLogOutlivesItsKill) {
  ScriptedPeer peer("peer", Home::process);
  auto publisher = peer.publisher(topic);
  publisher.begin_publish({.count = endless});
  peer.wait_for_events(500);
  peer.kill();
  EXPECT_TRUE(check_numbers(publisher.events()).empty());
  EXPECT_GE(publisher.events(EventKind::published).size(), 249U);
  EXPECT_THROW(publisher.publish(), HarnessFailure);
  EXPECT_EQ(peer.end(), "");
}

TEST(PeerProcess, AZombieStaysUntilTheEnd) {
  ScriptedPeer peer("peer", Home::process);
  const pid_t process = peer.process();
  peer.kill_unreaped();
  EXPECT_EQ(::kill(process, 0), 0);
  EXPECT_EQ(peer.end(), "");
  EXPECT_EQ(::kill(process, 0), -1);
}

TEST(PeerProcess, AStoppedOneDoesNothingUntilItGoesOn) {
  ScriptedPeer peer("peer", Home::process);
  auto publisher = peer.publisher(topic);
  publisher.begin_publish({.count = endless});
  peer.wait_for_events(100);
  peer.stop();
  const auto events = peer.log().size();
  std::this_thread::yield();
  EXPECT_EQ(peer.log().size(), events);
  peer.go_on();
  peer.wait_for_events(100);
  peer.halt();
  peer.finish_well();
  EXPECT_EQ(peer.end(), "");
}

TEST(PeerProcess, AnEndThatWasNotWantedIsReported) {
  ScriptedPeer peer("peer", Home::process);
  EXPECT_THROW(static_cast<void>(peer.run("crash")), HarnessFailure);
  EXPECT_NE(peer.end().find("signal 15"), std::string::npos);
}

TEST(PeerProcess, ExitEndsItWithoutClosing) {
  ScriptedPeer peer("peer", Home::process);
  auto publisher = peer.publisher(topic);
  peer.exit();
  EXPECT_TRUE(publisher.events(EventKind::closed).empty());
  EXPECT_EQ(peer.end(), "");
}

TEST(PeerProcess, NoneIsLeft) {
  { ScriptedPeer forgotten("peer", Home::process); }
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(SandboxTest, IsEmptyOfItsOwnAndGoneAfterwards) {
  std::string root;
  {
    const Sandbox one;
    const Sandbox other;
    EXPECT_NE(one.root(), other.root());
    EXPECT_TRUE(one.entries().empty());
    root = one.root();
    std::filesystem::create_directories(root + "/a/b");
    EXPECT_EQ(one.entries(), (std::vector<std::string>{"a/", "a/b/"}));
  }
  EXPECT_FALSE(std::filesystem::exists(root));
}

TEST(SandboxDeathTest, IsGoneWhenTheProcessIsToldToEnd) {
  const Sandbox outer;
  // The child's sandbox is named in a file of ours.
  EXPECT_EXIT(
      {
        const Sandbox inner;
        std::ofstream(outer.root() + "/inner") << inner.root() << std::flush;
        ::raise(SIGTERM);
      },
      ::testing::ExitedWithCode(128 + SIGTERM), "");
  std::string inner;
  std::ifstream(outer.root() + "/inner") >> inner;
  EXPECT_FALSE(inner.empty());
  EXPECT_FALSE(std::filesystem::exists(inner));
}

TEST(WatchdogTest, StaysQuietWhenTheTestEnds) {
  bool barked = false;
  {
    const Watchdog watchdog(std::chrono::hours(1), std::chrono::hours(1),
                            {.end_peers = [&] { barked = true; }, .end_process = [&] { barked = true; }});
    EXPECT_FALSE(watchdog.expired());
  }
  EXPECT_FALSE(barked);
}

TEST(WatchdogTest, EndsAPeerThatHangsWhichFailsTheCall) {
  ScriptedPeer peer("peer", Home::process);
  auto subscriber = peer.subscriber(topic);
  const Watchdog watchdog(std::chrono::milliseconds(20), std::chrono::hours(1),
                          {.end_peers = [&] { peer.kill_at_once(); }, .end_process = [] { _exit(1); }});
  EXPECT_THROW(static_cast<void>(subscriber.try_wait(Patience::unbounded())), HarnessFailure);
  EXPECT_TRUE(watchdog.expired());
  EXPECT_NE(peer.end().find("signal 9"), std::string::npos);
}

TEST(WatchdogDeathTest, EndsATestThatHangsByItself) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        const Watchdog watchdog(
            std::chrono::milliseconds(1), std::chrono::milliseconds(1),
            {.end_peers = [] { fmt::print(stderr, "peers ended\n"); }, .end_process = [] { _exit(3); }});
        while (true) ::pause();
      },
      ::testing::ExitedWithCode(3), "peers ended");
}

}  // namespace
}  // namespace weir::conformance

int main(int argc, char** argv) {
  if (weir::conformance::peer_main(argc, argv)) return 0;
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
