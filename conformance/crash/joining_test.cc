// CRASH: a process killed while it joins or leaves harms nobody.
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/crash/come_and_go.h"
#include "conformance/crash/ending.h"
#include "conformance/harness/fixture.h"

namespace weir::conformance {

using Crash = ConformanceTest;
using namespace std::chrono_literals;

namespace {

// Each peer joined once, and then left or died once, if it is gone.
Violations check_lives(const std::vector<Event>& events) {
  std::map<PeerId, int> joined;
  std::map<PeerId, int> gone;
  Violations violations;
  for (const Event& event : events) {
    if (event.kind == EventKind::joined && ++joined[event.peer] > 1) {
      violations.push_back(fmt::format("{:x} joined twice", event.peer));
    }
    if (event.kind != EventKind::left && event.kind != EventKind::died) continue;
    if (!joined.contains(event.peer)) violations.push_back(fmt::format("{:x} went without having come", event.peer));
    if (++gone[event.peer] > 1) violations.push_back(fmt::format("{:x} went twice", event.peer));
  }
  return violations;
}

}  // namespace

CONFORMANCE_TEST(Crash, AProcessKilledWhileItJoinsOrLeavesHarmsNobody, "CRASH-13") {
  NEEDS(processes);
  NEEDS(lossless);
  NEEDS(full_membership);
  const std::string topic = uri("topic", lossless_grant(capabilities()) + "&depth=8");
  auto subscriber = peer("sink").subscriber(topic + "&policy=lossless");
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(1);
  Chance chance;
  std::uint64_t published = 0;
  const int kills = chosen_rounds(60);
  for (int round = 0; round < kills; ++round) {
    ScriptedPeer& victim = peer(fmt::format("victim {}", round));
    victim.begin_run("come_and_go", topic);
    victim.wait_for_events(1 + chance.below(8));
    chance.let_pass(400us);
    published += publisher.publish({.count = 2});
    subscriber.next_events();
    publisher.next_events();
    victim.kill();
    published += publisher.publish({.count = 3});
    EXPECT_EQ(subscriber.take_all(), 5U) << "in round " << round;
    EXPECT_EQ(publisher.try_list_peers().value, 1U) << "in round " << round;
    EXPECT_EQ(subscriber.try_list_peers().value, 1U) << "in round " << round;
    subscriber.next_events();
    publisher.next_events();
  }
  EXPECT_SOUND(check_sound(subscriber));
  EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, published));
  EXPECT_SOUND(check_lives(subscriber.events()));
  EXPECT_SOUND(check_lives(publisher.events()));
}

CONFORMANCE_TEST(Crash, AProcessKilledWhileItJoinsOrLeavesAloneKeepsNobodyOut, "CRASH-13") {
  NEEDS(processes);
  const std::string topic = uri("topic", "depth=8");
  ScriptedPeer& sink = peer("sink");
  ScriptedPeer& source = peer("source");
  Chance chance;
  const int count = chosen_rounds(60);
  for (int round = 0; round < count; ++round) {
    ScriptedPeer& victim = peer(fmt::format("victim {}", round));
    victim.begin_run("come_and_go", topic);
    victim.wait_for_events(1 + chance.below(8));
    chance.let_pass(400us);
    victim.kill();
    auto subscriber = sink.subscriber(topic);
    auto publisher = source.publisher(topic);
    publisher.wait_for_subscribers(1);
    publisher.publish({.count = 5});
    EXPECT_EQ(subscriber.take_all(), 5U) << "in round " << round;
    EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, 5));
    subscriber.close();
    publisher.close();
  }
}

CONFORMANCE_TEST(Crash, ManyWhoComeAndGoAndAreKilledAtOnceHarmNobody, "CRASH-13") {
  NEEDS(processes);
  NEEDS(counts_subscribers);
  NEEDS(lossless);
  const std::string topic = uri("topic", lossless_grant(capabilities()) + "&depth=8");
  auto subscriber = peer("sink").subscriber(topic + "&policy=lossless");
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(1);
  Chance chance;
  std::uint64_t published = 0;
  for (int round = 0; round < 10; ++round) {
    std::vector<ScriptedPeer*> victims;
    for (int number = 0; number < 4; ++number) {
      victims.push_back(&peer(fmt::format("victim {} of round {}", number, round)));
      victims.back()->begin_run("come_and_go", topic);
    }
    for (ScriptedPeer* victim : victims) victim->wait_for_events(10);
    for (int message = 0; message < 50; ++message) {
      published += publisher.publish({.count = 2});
      EXPECT_EQ(subscriber.take_all(), 2U);
    }
    for (ScriptedPeer* victim : victims) {
      chance.let_pass(200us);
      victim->kill();
    }
  }
  EXPECT_SOUND(check_sound(subscriber));
  EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, published));
}

}  // namespace weir::conformance
