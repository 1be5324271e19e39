// CLEAN: a forked child of a user neither removes a topic nor keeps it.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/crash/ending.h"
#include "conformance/harness/fixture.h"
#include "conformance/harness/message.h"
#include "conformance/harness/script.h"

namespace weir::conformance {

using Cleanup = ConformanceTest;

namespace {

constexpr std::uint16_t most_ports = 8;

// (Not End::exits, which is seen by the end of a socket that the child has too.)
constexpr std::array<End, 3> ends_of_parents{End::closes, End::is_killed, End::is_killed_as_child};
constexpr std::array<End, 2> deaths_of_parents{End::is_killed, End::is_killed_as_child};

// Forks a child that destroys all it has inherited, or just exits. Returns when it has ended.
Outcome fork_one_that_ends(Actor& actor, const std::string& argument) {
  const pid_t child = fork();
  if (child < 0) throw_system_failure("fork");
  if (child == 0) {
    if (argument == "exits") ::exit(0);
    for (std::uint16_t number = 1; number <= most_ports; ++number) {
      try {
        const Port inherited = std::move(actor.port(number));
      } catch (const HarnessFailure&) {
        break;  // there are no more
      }
    }
    _exit(0);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) return Outcome::of(Error(ErrorCode::internal, fmt::format("the child ended with {:#x}", status)));
  return {};
}
const Script fork_one_that_ends_script("fork_one_that_ends", fork_one_that_ends);

// Forks a child that does nothing. Returns its pid.
Outcome fork_one_that_lives(Actor& /*actor*/, const std::string& /*argument*/) {
  const pid_t child = fork();
  if (child < 0) throw_system_failure("fork");
  if (child == 0) {
    alarm(300);  // should the test not come to its end
    while (true) pause();
  }
  return {.value = static_cast<std::uint64_t>(child)};
}
const Script fork_one_that_lives_script("fork_one_that_lives", fork_one_that_lives);

// A living child of a peer, which becomes ours when the peer is gone, and then is ended.
class Orphan {
 public:
  explicit Orphan(ScriptedPeer& parent) {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    const Outcome forked = parent.run("fork_one_that_lives");
    if (!forked) throw HarnessFailure(to_string(forked));
    process_ = static_cast<pid_t>(forked.value);
  }
  Orphan(const Orphan&) = delete;
  Orphan& operator=(const Orphan&) = delete;
  ~Orphan() {
    ::kill(process_, SIGKILL);
    while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
    prctl(PR_SET_CHILD_SUBREAPER, 0);
  }

  [[nodiscard]] bool lives() const { return ::kill(process_, 0) == 0; }

 private:
  pid_t process_ = 0;
};

}  // namespace

CONFORMANCE_TEST(Cleanup, AForkedChildThatEndsRemovesNothing, "CLEAN-9") {
  NEEDS(processes);
  const std::string topic = uri("topic", has(feature::history) ? "depth=16&history=4" : "depth=16");
  ScriptedPeer& user = peer("user");
  auto subscriber = user.subscriber(topic);
  auto publisher = user.publisher(topic);
  auto other = peer("other").subscriber(topic);
  publisher.wait_for_subscribers(has(feature::counts_subscribers) ? 2 : 1);
  const std::uint64_t least = has(feature::sequence) ? 0 : stamp_size;  // so that each says which it is
  publisher.publish({.count = 6, .size = least, .size_most = 50'000});
  EXPECT_EQ(subscriber.hold(3), 3U);
  EXPECT_TRUE(publisher.try_lend(2, {.size = 3000}));
  for (const char* manner : {"exits", "destroys"}) {
    const auto before = sandbox().entries();
    const Outcome forked = user.run("fork_one_that_ends", manner);
    EXPECT_TRUE(forked) << "a child that " << manner << ": " << to_string(forked);
    EXPECT_EQ(sandbox().entries(), before) << "after a child that " << manner;
    static_cast<void>(entries_after_visit());
    publisher.publish({.count = 5, .size = least, .size_most = 50'000});
    if (has(feature::full_membership)) {
      EXPECT_EQ(publisher.try_list_peers().value, 2U) << "after a child that " << manner;
    }
  }
  subscriber.release(3);
  subscriber.take_all();
  other.take_all();
  for (const RemoteSubscriber& reader : {subscriber, other}) {
    EXPECT_SOUND(check_sound(reader));
    EXPECT_SOUND(check_accepted(reader.events(), publisher.events(), 0));
  }
}

CONFORMANCE_TEST(Cleanup, AForkedChildThatLivesOnKeepsNothing, "CLEAN-9", "CLEAN-1") {
  NEEDS(processes);
  for (const End end : ends_of_parents) {
    ScriptedPeer& user = peer(fmt::format("user that {}", to_string(end)));
    const std::string topic = fresh_uri("depth=16");
    auto subscriber = user.subscriber(topic);
    auto publisher = user.publisher(topic);
    publisher.wait_for_subscribers(1);
    static_cast<void>(subscriber.readable());
    publisher.publish({.count = 6, .size = 0, .size_most = 50'000});
    EXPECT_EQ(subscriber.hold(3), 3U);
    const Orphan orphan(user);
    bring_to_end(user, end);
    EXPECT_TRUE(orphan.lives());
    EXPECT_EQ(entries_after_visit(), entries_of_nobody()) << "after a user that " << to_string(end);
  }
}

CONFORMANCE_TEST(Cleanup, AForkedChildThatLivesOnHoldsNobodyBack, "CLEAN-9") {
  NEEDS(processes);
  NEEDS(lossless_reject);
  const std::string topic = uri("topic", "depth=4&policy=lossless&grant=reject");
  auto publisher = peer("source").publisher(topic);
  for (const End end : ends_of_parents) {
    ScriptedPeer& user = peer(fmt::format("user that {}", to_string(end)));
    user.subscriber(topic);
    publisher.wait_for_subscribers(1);
    publisher.publish({.count = 100, .when = When::held_back_end});
    const Orphan orphan(user);
    bring_to_end(user, end);
    EXPECT_TRUE(orphan.lives());
    const Outcome published = publisher.try_publish({.count = 10});
    EXPECT_TRUE(published) << "after a user that " << to_string(end) << ": " << to_string(published);
  }
}

CONFORMANCE_TEST(Cleanup, TheDeathOfAUserIsSeenThoughItsForkedChildLives, "CLEAN-10") {
  NEEDS(processes);
  NEEDS(death_events);
  NEEDS(full_membership);
  const std::string topic = uri("topic");
  ScriptedPeer& watcher = peer("watcher");
  auto watching_in = watcher.subscriber(topic);
  auto watching_out = watcher.publisher(topic);
  for (const bool by_descriptor : {false, true}) {
    for (const End death : deaths_of_parents) {
      ScriptedPeer& user = peer(fmt::format("user that {}, {}", to_string(death), by_descriptor));
      const PeerId publisher = user.publisher(topic).id();
      const PeerId subscriber = user.subscriber(topic).id();
      watching_in.next_events();
      watching_out.next_events();
      if (by_descriptor) {
        static_cast<void>(watching_in.readable());
        static_cast<void>(watching_out.readable());
      }
      const Orphan orphan(user);
      bring_to_end(user, death);
      EXPECT_TRUE(orphan.lives());
      if (by_descriptor) {
        constexpr std::chrono::seconds watchdog(10);
        EXPECT_TRUE(watching_in.readable(watchdog)) << "no descriptor tells of a publisher that " << to_string(death);
        EXPECT_TRUE(watching_out.readable(watchdog)) << "no descriptor tells of a subscriber that " << to_string(death);
      }
      watching_in.next_events();
      watching_out.next_events();
      EXPECT_EQ(watching_in.last_event(EventKind::died).peer, publisher);
      EXPECT_EQ(watching_out.last_event(EventKind::died).peer, subscriber);
    }
  }
}

}  // namespace weir::conformance
