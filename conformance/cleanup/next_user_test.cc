// CLEAN: the next user finds nothing of the past; joins that fail, race or fork leave nothing.
#include <fcntl.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/harness/fixture.h"
#include "conformance/harness/script.h"

namespace weir::conformance {

using Cleanup = ConformanceTest;

namespace {

std::vector<int> open_descriptors() {
  std::vector<int> descriptors;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    descriptors.push_back(std::stoi(entry.path().filename()));
  }
  // The one that was open to list them is gone now.
  std::erase_if(descriptors, [](int descriptor) { return fcntl(descriptor, F_GETFD) < 0; });
  return descriptors;
}

// Joins and leaves a topic in both roles; each time one message is sent and received; "rounds uri".
Outcome visit(Actor& actor, const std::string& argument) {
  const std::string uri = argument.substr(argument.find(' ') + 1);
  for (int left = std::stoi(argument); left > 0; --left) {
    Result<Publisher> publisher = actor.node().publisher(uri);
    if (!publisher) return Outcome::of(publisher.error());
    Result<Subscriber> subscriber = actor.node().subscriber(uri);
    if (!subscriber) return Outcome::of(subscriber.error());
    if (Status there = publisher->wait_for_subscribers(1, never); !there) return Outcome::of(there.error());
    if (Result<std::uint64_t> sent = publisher->send({}); !sent) return Outcome::of(sent.error());
    if (Result<Wake> woke = subscriber->wait(never); !woke) return Outcome::of(woke.error());
  }
  return {};
}
const Script visit_script("visit", visit);

// Uses a topic in both roles, in a process that has used none before; answers with the descriptors opened meanwhile
// that a program it executed would inherit.
Outcome list_inheritable(Actor& actor, const std::string& uri) {
  const auto before = open_descriptors();
  Publisher publisher = must(actor.node().publisher(uri), "opening a publisher");
  Subscriber subscriber = must(actor.node().subscriber(uri), "opening a subscriber");
  must(publisher.wait_for_subscribers(1, never), "wait_for_subscribers");
  must(subscriber.fd(), "fd");
  must(publisher.fd(), "fd");
  must(publisher.send({}), "send");
  must(subscriber.take(), "take");
  Outcome outcome;
  for (const int descriptor : open_descriptors()) {
    if (std::find(before.begin(), before.end(), descriptor) != before.end()) continue;
    if ((fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0) continue;
    outcome.text += std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", descriptor)).string() + ' ';
  }
  return outcome;
}
const Script list_inheritable_script("list_inheritable", list_inheritable);

}  // namespace

CONFORMANCE_TEST(Cleanup, TheNextUserFindsNoTraceOfATopicsPast, "CLEAN-11") {
  ScriptedPeer& peer = this->peer("peer");
  const std::string options = has(feature::history) ? "history=8&depth=8" : "depth=8";
  for (int round = 0; round < 3; ++round) {
    auto subscriber = peer.subscriber(uri("topic", options));
    EXPECT_EQ(subscriber.take_all(), 0U) << "in round " << round;
    auto publisher = peer.publisher(uri("topic", options));
    publisher.wait_for_subscribers(1);
    publisher.publish({.count = 20});
    subscriber.hold(1);
    publisher.close();
    subscriber.close();
  }
}

CONFORMANCE_TEST(Cleanup, TheNextUserFindsNoTraceOfAKilledTopicsPast, "CLEAN-11") {
  NEEDS(processes);
  const std::string options = has(feature::history) ? "history=8&depth=8" : "depth=8";
  for (int round = 0; round < 3; ++round) {
    ScriptedPeer& victim = peer(fmt::format("victim {}", round));
    auto subscriber = victim.subscriber(uri("topic", options));
    EXPECT_EQ(subscriber.take_all(), 0U) << "in round " << round;
    auto publisher = victim.publisher(uri("topic", options));
    publisher.wait_for_subscribers(1);
    publisher.publish({.count = 20});
    victim.kill();
  }
}

CONFORMANCE_TEST(Cleanup, DescriptorsAreNotInheritedByOtherPrograms, "CLEAN-12") {
  const Outcome listed = peer("newcomer").run("list_inheritable", uri("topic"));
  ASSERT_TRUE(listed) << to_string(listed);
  EXPECT_EQ(listed.text, "");
}

CONFORMANCE_TEST(Cleanup, ARefusedJoinLeavesNothing, "CLEAN-14") {
  NEEDS(negotiates_policy);
  {
    Publisher publisher = this->publisher(uri("topic", "depth=4"));
    const auto before = sandbox().entries();
    const auto descriptors = open_descriptors();
    for (int round = 0; round < 5; ++round) {
      EXPECT_FALSE(node().subscriber(uri("topic", "depth=5")));
      EXPECT_FALSE(node().subscriber(uri("another", "depth=0")));
    }
    EXPECT_EQ(sandbox().entries(), before);
    EXPECT_EQ(open_descriptors(), descriptors);
  }
  EXPECT_EQ(entries_after_visit(), entries_of_nobody());
}

CONFORMANCE_TEST(Cleanup, TopicsThatComeAndGoUnderRacingUsersLeaveNothing, "CLEAN-15") {
  // Joins race with the removal of the topic by whoever was last.
  std::vector<ScriptedPeer*> peers;
  for (const char* name : {"one", "two", "three"}) peers.push_back(&peer(name));
  for (ScriptedPeer* peer : peers) peer->begin_run("visit", "60 " + uri("topic", "depth=4"));
  for (ScriptedPeer* peer : peers) peer->finish_well();
  EXPECT_EQ(entries_after_visit(), entries_of_nobody());
}

}  // namespace weir::conformance
