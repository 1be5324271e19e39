// CLEAN: a topic stays as long as one user lives, and whoever comes as the last one goes finds a topic that works.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/crash/come_and_go.h"
#include "conformance/crash/ending.h"
#include "conformance/harness/fixture.h"

namespace weir::conformance {

using Cleanup = ConformanceTest;

CONFORMANCE_TEST(Cleanup, TheHistoryOfTheLastPublisherStaysWhoeverElseGoes, "CLEAN-2") {
  NEEDS(processes);
  NEEDS(history);
  const std::string topic = uri("topic", "history=5&depth=16");
  auto publisher = peer("source").publisher(topic);
  publisher.publish({.count = 9, .size = 0, .size_most = 20'000});
  for (const End end : ends) {
    ScriptedPeer& other = peer(fmt::format("other that {}", to_string(end)));
    auto late = other.subscriber(topic);
    other.publisher(topic).publish({.count = 3});
    EXPECT_EQ(late.take_all(), 8U);
    EXPECT_SOUND(check_range(late.events(), publisher.id(), 4, 9));
    bring_to_end(other, end);
    static_cast<void>(entries_after_visit());  // a stranger comes by, who tidies up
  }
  auto last = peer("last").subscriber(topic);
  last.take_all();
  EXPECT_SOUND(check_range(last.events(), publisher.id(), 4, 9));
  EXPECT_SOUND(check_sound(last));
}

CONFORMANCE_TEST(Cleanup, WhatALoneSubscriberHasNotReadStays, "CLEAN-2") {
  NEEDS(processes);
  NEEDS(survives_publisher);
  const std::string topic = uri("topic", "depth=16");
  auto subscriber = peer("sink").subscriber(topic);
  for (const End end : ends) {
    ScriptedPeer& other = peer(fmt::format("other that {}", to_string(end)));
    auto publisher = other.publisher(topic);
    publisher.wait_for_subscribers(1);
    publisher.publish({.count = 5, .size = 0, .size_most = 20'000});
    bring_to_end(other, end);
    static_cast<void>(entries_after_visit());
    EXPECT_EQ(subscriber.take(2), 2U);
    static_cast<void>(entries_after_visit());
    EXPECT_EQ(subscriber.take_all(), 3U);
    EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, 5));
  }
  EXPECT_SOUND(check_sound(subscriber));
}

CONFORMANCE_TEST(Cleanup, TheTopicOfAStoppedUserStays, "CLEAN-2") {
  NEEDS(processes);
  const std::string topic = uri("topic", "depth=16");
  ScriptedPeer& user = peer("user");
  auto subscriber = user.subscriber(topic);
  auto publisher = user.publisher(topic);
  publisher.wait_for_subscribers(1);
  publisher.publish({.count = 3});
  const auto before = sandbox().entries();
  user.stop();
  EXPECT_EQ(entries_after_visit(), before);
  user.go_on();
  publisher.publish({.count = 3});
  EXPECT_EQ(subscriber.take_all(), 6U);
  EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, 6));
}

CONFORMANCE_TEST(Cleanup, WhoComesAsTheLastOneGoesFindsATopicThatWorks, "CLEAN-3") {
  const std::string topic = uri("topic", "depth=16");
  ScriptedPeer& sink = peer("sink");
  ScriptedPeer& source = peer("source");
  std::vector<ScriptedPeer*> others;
  for (int number = 0; number < 2; ++number) {
    others.push_back(&peer(fmt::format("other {}", number)));
    others.back()->begin_run("come_and_go", topic);
  }
  const int count = chosen_rounds(100);
  for (int round = 0; round < count; ++round) {
    auto subscriber = sink.subscriber(topic);
    auto publisher = source.publisher(topic);
    publisher.wait_for_subscribers(1);
    publisher.publish({.count = 3});
    subscriber.receive({.next = 3});
    EXPECT_SOUND(check_sound(subscriber));
    EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, 3));
    subscriber.close();
    publisher.close();
  }
  for (ScriptedPeer* other : others) {
    other->halt();
    other->finish_well();
  }
  EXPECT_EQ(entries_after_visit(), entries_of_nobody());
}

CONFORMANCE_TEST(Cleanup, RemainsOfTheDeadDoNotPileUpInATopicThatLives, "CLEAN-4") {
  NEEDS(processes);
  const std::string topic = uri("topic", "depth=16");
  ScriptedPeer& resident = peer("resident");
  auto subscriber = resident.subscriber(topic);
  auto publisher = resident.publisher(topic);
  publisher.wait_for_subscribers(1);
  std::size_t at_first = 0;
  for (int round = 0; round < 30; ++round) {
    ScriptedPeer& victim = peer(fmt::format("victim {}", round));
    auto dying_in = victim.subscriber(topic);
    auto dying_out = victim.publisher(topic);
    dying_out.wait_for_subscribers(has(feature::counts_subscribers) ? 2 : 1);
    dying_out.publish({.count = 10, .size = 3000});
    publisher.publish({.count = 10, .size = 3000});
    EXPECT_EQ(dying_in.hold(5), 5U);
    victim.kill();
    EXPECT_EQ(subscriber.take_all(), 20U);
    if (has(feature::full_membership)) {
      subscriber.next_events();
      publisher.next_events();
    }
    const std::size_t entries = sandbox().entries().size();
    if (round == 2) at_first = entries;
    EXPECT_TRUE(round <= 2 || entries <= at_first) << entries << " after " << at_first << ", in round " << round;
  }
}

}  // namespace weir::conformance
