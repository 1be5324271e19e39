// HIST: what a late joiner receives of the past, and the seam to the present.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/harness/fixture.h"

namespace weir::conformance {

using LateJoiner = ConformanceTest;

CONFORMANCE_TEST(LateJoiner, ReceivesTheNewestOfThePastInOrder, "HIST-1") {
  NEEDS(history);
  ScriptedPeer& source = peer("source");
  ScriptedPeer& sink = peer("sink");
  const std::uint64_t header = has(feature::user_header) ? 3 : 0;
  for (const std::uint64_t history : {1U, 2U, 3U, 7U, 16U}) {
    for (const std::uint64_t published : {history, history + 1, 2 * history, 7 * history + 2}) {
      const std::string topic = fresh_uri(fmt::format("history={0}&depth={0}", history));
      auto publisher = source.publisher(topic);
      publisher.publish({.count = published, .size = 0, .size_most = 200, .header_size = header});
      auto subscriber = sink.subscriber(topic);
      EXPECT_EQ(subscriber.take_all(), history) << "of " << published;
      EXPECT_SOUND(check_sound(subscriber));
      EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), published - history, published));
      EXPECT_SOUND(check_origin(subscriber.events(), publisher.events()));
    }
  }
}

CONFORMANCE_TEST(LateJoiner, ReceivesAllWhereThePastIsShorterThanItsHistory, "HIST-2") {
  NEEDS(history);
  ScriptedPeer& source = peer("source");
  ScriptedPeer& sink = peer("sink");
  for (const std::uint64_t published : {0U, 1U, 7U}) {
    const std::string topic = fresh_uri("history=8&depth=8");
    auto publisher = source.publisher(topic);
    publisher.publish({.count = published});
    auto subscriber = sink.subscriber(topic);
    EXPECT_EQ(subscriber.take_all(), published);
    EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, published));
  }
}

CONFORMANCE_TEST(LateJoiner, WithoutHistoryReceivesNothingOfThePast, "HIST-3") {
  const std::string options = has(feature::history) ? "history=8&depth=8" : "depth=8";
  auto publisher = peer("source").publisher(uri("topic", options));
  publisher.publish({.count = 5});
  auto subscriber = peer("sink").subscriber(uri("topic", "depth=8"));
  EXPECT_EQ(subscriber.take_all(), 0U);
  publisher.wait_for_subscribers(1);
  publisher.publish({.count = 2});
  EXPECT_EQ(subscriber.take_all(), 2U);
  EXPECT_SOUND(check_sound(subscriber));
  if (has(feature::exact_loss)) EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 5, 7));
}

CONFORMANCE_TEST(LateJoiner, SeesHistoryThenLiveWithoutGap, "HIST-4") {
  NEEDS(history);
  const std::string topic = uri("topic", "history=4&depth=64");
  auto publisher = peer("source").publisher(topic);
  publisher.publish({.count = 9});
  auto subscriber = peer("sink").subscriber(topic);
  publisher.publish({.count = 20});
  EXPECT_EQ(subscriber.take_all(), 24U);
  publisher.publish({.count = 3});
  EXPECT_EQ(subscriber.take_all(), 3U);
  EXPECT_SOUND(check_sound(subscriber));
  EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 5, 32));
}

CONFORMANCE_TEST(LateJoiner, SeesNoGapAndNoRepetitionAtTheSeamWhileThePublisherRaces, "HIST-4") {
  NEEDS(history);
  NEEDS(exact_loss);
  constexpr std::uint64_t history = 5;
  const std::string topic = uri("topic", fmt::format("history={}&depth=16", history));
  ScriptedPeer& source = peer("source");
  ScriptedPeer& sink = peer("sink");
  auto publisher = source.publisher(topic);
  publisher.begin_publish({.count = endless, .size = 24, .size_most = 100, .quiet = true});
  for (int round = 0; round < 40; ++round) {
    source.wait_for_publishes(20);
    const std::uint64_t least = source.progress().accepted;
    auto subscriber = sink.subscriber(topic);
    const std::uint64_t most = source.progress().begun;
    subscriber.receive({.next = most + 30});
    subscriber.close();
    EXPECT_SOUND(check_sound(subscriber));
    EXPECT_SOUND(check_seam(subscriber.events(), publisher.id(), history, least, most));
  }
  source.halt();
  source.finish_well();
}

CONFORMANCE_TEST(LateJoiner, LosslessReceivesHistoryAndThenEverything, "HIST-5") {
  NEEDS(history);
  NEEDS(lossless);
  NEEDS(exact_loss);
  constexpr std::uint64_t history = 3;
  const std::string topic =
      uri("topic", has(feature::lossless_block) ? "history=3&grant=block&deadline=60s" : "history=3&grant=reject");
  ScriptedPeer& source = peer("source");
  ScriptedPeer& sink = peer("sink");
  auto publisher = source.publisher(topic);
  publisher.begin_publish({.count = endless, .when = When::held_back_retry, .quiet = true});
  for (int round = 0; round < 20; ++round) {
    source.wait_for_publishes(20);
    const std::uint64_t least = source.progress().accepted;
    auto subscriber = sink.subscriber(topic + "&policy=lossless&depth=6");
    const std::uint64_t most = source.progress().begun;
    subscriber.receive({.next = most + 200});
    subscriber.close();
    EXPECT_SOUND(check_sound(subscriber));
    EXPECT_SOUND(check_seam(subscriber.events(), publisher.id(), history, least, most));
    for (const Event& event : subscriber.events(EventKind::taken)) ASSERT_EQ(event.lost_before, 0U);
  }
  source.halt();
  source.finish_well();
}

CONFORMANCE_TEST(LateJoiner, ThePastIsNoLoss, "HIST-6") {
  NEEDS(exact_loss);
  const std::string topic = uri("topic", has(feature::history) ? "history=2&depth=4" : "depth=4");
  auto publisher = peer("source").publisher(topic);
  publisher.publish({.count = 50});
  auto subscriber = peer("sink").subscriber(topic);
  publisher.wait_for_subscribers(1);
  publisher.publish({.count = 1});
  subscriber.take_all();
  const auto taken = subscriber.events(EventKind::taken);
  ASSERT_FALSE(taken.empty());
  EXPECT_EQ(taken.front().lost_before, 0U);
}

CONFORMANCE_TEST(LateJoiner, WhatItLosesAfterItsJoinIsAnnounced, "HIST-6") {
  NEEDS(history);
  NEEDS(exact_loss);
  NEEDS(exact_depth);
  const std::string topic = uri("topic", "history=3&depth=4");
  auto publisher = peer("source").publisher(topic);
  publisher.publish({.count = 10});
  auto subscriber = peer("sink").subscriber(topic);
  publisher.publish({.count = 6});  // 7, 8, 9 were history; of 7 … 15 the newest 4 remain
  EXPECT_EQ(subscriber.take_all(), 4U);
  EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 7, 16));
}

CONFORMANCE_TEST(LateJoiner, ReceivesTheHistoryOfEachPublisher, "HIST-7") {
  NEEDS(history);
  const std::string topic = uri("topic", "history=4&depth=8");
  ScriptedPeer& sources = peer("sources");
  auto busy = sources.publisher(topic);
  auto quiet = sources.publisher(topic);
  auto silent = sources.publisher(topic);
  quiet.publish({.count = 2});
  busy.publish({.count = 40});
  auto subscriber = peer("sink").subscriber(topic);
  EXPECT_EQ(subscriber.take_all(), 6U);
  EXPECT_SOUND(check_range(subscriber.events(), busy.id(), 36, 40));
  EXPECT_SOUND(check_range(subscriber.events(), quiet.id(), 0, 2));
  silent.publish();
  EXPECT_EQ(subscriber.take_all(), 1U);
  EXPECT_SOUND(check_sound(subscriber));
}

CONFORMANCE_TEST(LateJoiner, EachOneGetsTheHistoryAndNobodyElseGetsItAgain, "HIST-8") {
  NEEDS(history);
  const std::string topic = uri("topic", "history=3&depth=16");
  ScriptedPeer& sinks = peer("sinks");
  auto early = sinks.subscriber(topic);
  auto publisher = peer("source").publisher(topic);
  publisher.publish({.count = 5});
  EXPECT_EQ(early.take_all(), 5U);
  for (int round = 0; round < 3; ++round) {
    auto late = sinks.subscriber(topic);
    EXPECT_EQ(late.take_all(), 3U);
    EXPECT_EQ(early.take_all(), 0U);
    EXPECT_SOUND(check_range(late.events(), publisher.id(), 2, 5));
  }
}

CONFORMANCE_TEST(LateJoiner, MayAskForLessHistoryThanThePublisherRetains, "HIST-9") {
  NEEDS(history);
  auto publisher = peer("source").publisher(uri("topic", "history=10&depth=20"));
  publisher.publish({.count = 30});
  for (const std::uint64_t history : {1U, 4U, 9U, 10U}) {
    auto subscriber =
        peer(fmt::format("sink of {}", history)).subscriber(uri("topic", fmt::format("history={}&depth=12", history)));
    EXPECT_EQ(subscriber.take_all(), history);
    EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 30 - history, 30));
  }
}

CONFORMANCE_TEST(LateJoiner, AHistoryAboveWhatThePublisherRetainsIsRefused, "HIST-10") {
  NEEDS(history);
  NEEDS(negotiates_policy);
  ScriptedPeer& source = peer("source");
  ScriptedPeer& sink = peer("sink");
  source.publisher(uri("publisher-first", "history=3"));
  EXPECT_TRUE(sink.try_subscriber(uri("publisher-first", "history=4")).is(ErrorCode::incompatible));
  sink.subscriber(uri("subscriber-first", "history=4"));
  EXPECT_TRUE(source.try_publisher(uri("subscriber-first", "history=3")).is(ErrorCode::incompatible));
}

CONFORMANCE_TEST(LateJoiner, AHistoryAboveItsDepthIsRefused, "HIST-11") {
  const Result<Subscriber> refused = node().subscriber(uri("topic", "depth=3&history=4"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::invalid_argument);
  EXPECT_NE(refused.error().message().find("depth"), std::string::npos) << refused.error().message();
}

CONFORMANCE_TEST(LateJoiner, HistoryLosesNothingToTheDropsOfOthers, "HIST-12") {
  NEEDS(history);
  const std::string topic = uri("topic", "history=8&depth=64");
  auto publisher = peer("source").publisher(topic);
  peer("idle").subscriber(uri("topic", "depth=1"));
  auto holding = peer("holding").subscriber(topic);
  publisher.publish({.count = 20, .size = 5000});
  EXPECT_EQ(holding.hold(20), 20U);
  publisher.publish({.count = 20, .size = 5000});
  auto late = peer("late").subscriber(topic);
  EXPECT_EQ(late.take_all(), 8U);
  EXPECT_SOUND(check_sound(late));
  EXPECT_SOUND(check_range(late.events(), publisher.id(), 32, 40));
}

}  // namespace weir::conformance
