// CRASH: a stopped process is not a dead one: it keeps what is its own, and holds back only who granted it that.
#include <chrono>
#include <cstdint>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/crash/ending.h"
#include "conformance/harness/fixture.h"

namespace weir::conformance {

using Crash = ConformanceTest;
using namespace std::chrono_literals;

CONFORMANCE_TEST(Crash, AStoppedDroppingSubscriberHarmsNobody, "CRASH-9") {
  NEEDS(processes);
  NEEDS(drop_oldest);
  NEEDS(lossless);
  NEEDS(counts_subscribers);
  constexpr std::uint64_t count = 3000;
  const std::string topic = uri("topic", lossless_grant(capabilities()));
  ScriptedPeer& sleeper = peer("sleeper");
  ScriptedPeer& sink = peer("sink");
  auto stopped = sleeper.subscriber(topic + "&policy=drop_oldest&depth=4");
  auto subscriber = sink.subscriber(topic + "&policy=lossless&depth=8");
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(2);
  publisher.publish({.count = 3});
  EXPECT_EQ(stopped.take(3), 3U);
  stopped.begin_wait(Patience::unbounded());
  sleeper.wait_until_blocked();  // publishers will try to wake it
  sleeper.stop();
  subscriber.begin_receive({.next = count});
  EXPECT_EQ(publisher.publish({.count = count - 3, .size_most = 5000, .when = When::held_back_retry}), count - 3);
  sink.finish_well();
  EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, count));
  EXPECT_EQ(taken_from(subscriber.events(), publisher.id()).size(), count);
  sleeper.go_on();
  EXPECT_EQ(sleeper.finish().wake, Wake::ready);
  const std::uint64_t taken = stopped.take_all();
  if (has(feature::exact_depth)) {
    EXPECT_EQ(taken, 4U);
  }
  EXPECT_SOUND(check_sound(stopped));
  if (has(feature::exact_loss)) {
    EXPECT_SOUND(check_range(stopped.events(), publisher.id(), 0, count));
  }
  EXPECT_EQ(stopped.last_event(EventKind::taken).sequence, count - 1);
}

CONFORMANCE_TEST(Crash, ADroppingSubscriberStoppedAtAnyMomentHarmsNobodyAndLosesExactly, "CRASH-9") {
  NEEDS(processes);
  NEEDS(drop_oldest);
  NEEDS(exact_loss);
  const std::string topic = uri("topic", "policy=drop_oldest&depth=8&held=16");
  ScriptedPeer& sleeper = peer("sleeper");
  ScriptedPeer& source = peer("source");
  auto subscriber = sleeper.subscriber(topic);
  auto publisher = source.publisher(topic);
  publisher.wait_for_subscribers(1);
  subscriber.begin_receive({.next = endless, .hold = 4, .waiting = WaitMethod::spin});
  publisher.begin_publish({.count = endless, .size = 0, .size_most = 20'000, .quiet = true});
  Chance chance;
  for (int round = 0; round < 40; ++round) {
    sleeper.wait_for_events(1);
    chance.let_pass(50us);
    sleeper.stop();
    source.wait_for_publishes(300);  // it goes on, more than once round its queues
    sleeper.go_on();
  }
  source.halt();
  const std::uint64_t published = source.finish_well();
  sleeper.halt();
  sleeper.finish_well();
  subscriber.take_all();
  EXPECT_SOUND(check_sound(subscriber));
  EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, published));
}

CONFORMANCE_TEST(Crash, AStoppedLosslessSubscriberHoldsItsPublisherBackAndLosesNothing, "CRASH-10") {
  NEEDS(processes);
  NEEDS(lossless_block);
  const std::string topic = uri("topic", "policy=lossless&grant=block&depth=4");
  ScriptedPeer& sleeper = peer("sleeper");
  ScriptedPeer& source = peer("source");
  auto subscriber = sleeper.subscriber(topic);
  auto publisher = source.publisher(topic);
  publisher.wait_for_subscribers(1);
  subscriber.begin_receive({.next = endless, .waiting = WaitMethod::spin});
  publisher.begin_publish({.count = endless, .size_most = 2000, .patience = Patience::unbounded()});
  for (int round = 0; round < 20; ++round) {
    sleeper.wait_for_events(static_cast<std::uint64_t>(round));
    sleeper.stop();
    source.wait_until_blocked();
    sleeper.go_on();
  }
  source.halt();
  const std::uint64_t published = source.finish_well();
  sleeper.halt();
  sleeper.finish_well();
  subscriber.take_all();
  EXPECT_SOUND(check_sound(subscriber));
  EXPECT_EQ(taken_from(subscriber.events(), publisher.id()).size(), published);
  EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, published));
}

CONFORMANCE_TEST(Crash, NoPatienceWithAStoppedLosslessSubscriberMakesItADeadOne, "CRASH-10", "CRASH-11") {
  NEEDS(processes);
  NEEDS(lossless_block);
  NEEDS(exact_depth);
  const std::string topic = uri("topic", "policy=lossless&grant=block&depth=3");
  ScriptedPeer& sleeper = peer("sleeper");
  auto subscriber = sleeper.subscriber(topic);
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(1);
  sleeper.stop();
  EXPECT_EQ(publisher.publish({.count = 100, .patience = 20ms, .when = When::held_back_end}), 3U);
  for (int round = 0; round < 5; ++round) {
    EXPECT_TRUE(publisher.try_publish({.patience = 20ms}).is(ErrorCode::back_pressure));
  }
  if (has(feature::full_membership)) {
    EXPECT_EQ(publisher.try_list_peers().value, 1U);
  }
  sleeper.go_on();
  EXPECT_EQ(subscriber.take_all(), 3U);
  EXPECT_TRUE(publisher.try_publish());
  EXPECT_EQ(subscriber.take_all(), 1U);
  EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, 4));
}

CONFORMANCE_TEST(Crash, AStoppedSubscriberKeepsTheSamplesInItsHands, "CRASH-11", "CRASH-3") {
  NEEDS(processes);
  NEEDS(drop_oldest);
  const std::string topic = uri("topic", "depth=16&held=16&loans=4&max_payload=64KiB&memory=4MiB");
  ScriptedPeer& sleeper = peer("sleeper");
  ScriptedPeer& others = peer("others");
  auto subscriber = sleeper.subscriber(topic);
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(1);
  publisher.publish({.count = 16, .size = 60'000});
  EXPECT_EQ(subscriber.hold(16), 16U);
  sleeper.stop();
  for (int round = 0; round < 5; ++round) {
    others.subscriber(topic).close();  // who comes and goes may tidy up
    others.publisher(topic).close();
    EXPECT_EQ(publisher.publish({.count = 100, .size = 60'000}), 100U);
  }
  sleeper.go_on();
  EXPECT_EQ(subscriber.release(16), 16U);
  EXPECT_SOUND(check_content(subscriber.events()));
}

CONFORMANCE_TEST(Crash, AStoppedPublisherIsNotTakenForDeadAndGoesOnInSequence, "CRASH-11") {
  NEEDS(processes);
  const std::string topic = uri("topic", "depth=64");
  ScriptedPeer& sleeper = peer("sleeper");
  ScriptedPeer& others = peer("others");
  auto subscriber = peer("sink").subscriber(topic);
  auto publisher = sleeper.publisher(topic);
  publisher.wait_for_subscribers(1);
  std::uint64_t published = 0;
  Chance chance;
  for (int round = 0; round < 20; ++round) {
    publisher.begin_publish({.count = 60, .size = 0, .size_most = 30'000, .quiet = true});
    chance.let_pass(500us);  // stopped in the midst of it, or after
    sleeper.stop();
    others.subscriber(topic).close();
    others.publisher(topic).close();
    subscriber.take_all();
    if (has(feature::full_membership)) {
      subscriber.next_events();
      EXPECT_EQ(subscriber.try_list_peers().value, 1U);
    }
    sleeper.go_on();
    published += sleeper.finish_well();
    subscriber.take_all();
  }
  EXPECT_EQ(published, 20U * 60U);
  EXPECT_SOUND(check_sound(subscriber));
  if (has(feature::exact_loss)) {
    EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, published));
  }
  for (const Event& event : subscriber.events(EventKind::died)) ADD_FAILURE() << to_string(event);
  for (const Event& event : subscriber.events(EventKind::left)) EXPECT_NE(event.peer, publisher.id());
}

}  // namespace weir::conformance
