// SLOW: lossless subscribers, and the publishers that they hold back.
#include <array>
#include <chrono>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/harness/fixture.h"

namespace weir::conformance {

using SlowSubscriber = ConformanceTest;

namespace {

constexpr std::chrono::milliseconds short_wait(20);

// The time between the last publish call and its refusal.
std::chrono::nanoseconds last_wait(const RemotePublisher& publisher) {
  const auto events = publisher.events();
  const Event& refused = events.at(events.size() - 1);
  const Event& called = events.at(events.size() - 2);
  EXPECT_EQ(called.kind, EventKind::publishing);
  EXPECT_EQ(refused.kind, EventKind::held_back);
  return std::chrono::nanoseconds(refused.time - called.time);
}

// How many samples to take so that there is a place for another: where buffers of a framework's own stand between, one
// taken need not be one place free.
std::uint64_t taken_for_a_place(const Capabilities& capabilities) { return capabilities.exact_depth ? 1 : endless; }

}  // namespace

CONFORMANCE_TEST(SlowSubscriber, RejectGrantsExactlyDepth, "SLOW-10") {
  NEEDS(lossless_reject);
  NEEDS(exact_depth);
  ScriptedPeer& sink = peer("sink");
  ScriptedPeer& source = peer("source");
  for (const std::uint64_t depth : {1U, 2U, 3U, 7U, 16U}) {
    const std::string topic = fresh_uri(fmt::format("depth={}&grant=reject&policy=lossless", depth));
    auto subscriber = sink.subscriber(topic);
    auto publisher = source.publisher(topic);
    publisher.wait_for_subscribers(1);
    EXPECT_EQ(publisher.publish({.count = depth}), depth);
    EXPECT_TRUE(publisher.try_publish().is(ErrorCode::back_pressure)) << "depth " << depth;
    // Each sample taken frees exactly one place.
    for (std::uint64_t taken = 1; taken <= depth; ++taken) {
      EXPECT_EQ(subscriber.take(taken), taken);
      EXPECT_EQ(publisher.publish({.count = 1000, .when = When::held_back_end}), taken) << "depth " << depth;
    }
    subscriber.take_all();
    EXPECT_SOUND(check_sound(subscriber));
    EXPECT_SOUND(check_accepted(subscriber.events(), publisher.events(), 0));
    EXPECT_SOUND(check_numbers(publisher.events()));
  }
}

CONFORMANCE_TEST(SlowSubscriber, RejectIsExactWithALargerPublisherDepth, "SLOW-10") {
  NEEDS(lossless_reject);
  NEEDS(exact_depth);
  for (const std::uint64_t depth : {1U, 4U, 9U}) {
    const std::string topic = uri(fmt::format("topic{}", depth), "grant=reject&policy=lossless");
    auto subscriber = peer(fmt::format("sink{}", depth)).subscriber(topic + fmt::format("&depth={}", depth));
    auto publisher = peer(fmt::format("source{}", depth)).publisher(topic + "&depth=100&history=5");
    publisher.wait_for_subscribers(1);
    EXPECT_EQ(publisher.publish({.count = 50, .when = When::held_back_end}), depth);
    subscriber.take_all();
    EXPECT_EQ(publisher.publish({.count = 50, .when = When::held_back_end}), depth);
  }
}

CONFORMANCE_TEST(SlowSubscriber, RejectIsExactForOneWhoJoinsAPublisherThatWasFree, "SLOW-10") {
  NEEDS(lossless_reject);
  NEEDS(exact_depth);
  NEEDS(counts_subscribers);
  const std::string topic = uri("topic", "grant=reject");
  ScriptedPeer& sink = peer("sink");
  auto publisher = peer("source").publisher(topic);
  sink.subscriber(topic + "&policy=drop_oldest");
  for (const std::uint64_t depth : {1U, 3U, 20U}) {
    for (const std::uint64_t freely : {0U, 1U, 100U, 1000U}) {
      publisher.publish({.count = freely});
      auto subscriber = sink.subscriber(topic + fmt::format("&policy=lossless&depth={}", depth));
      publisher.wait_for_subscribers(2);
      EXPECT_EQ(publisher.publish({.count = 1000, .when = When::held_back_end}), depth) << "after " << freely;
      EXPECT_EQ(subscriber.take_all(), depth);
      EXPECT_EQ(publisher.publish({.count = 1000, .when = When::held_back_end}), depth) << "after " << freely;
      subscriber.take_all();
      EXPECT_SOUND(check_sound(subscriber));
      subscriber.close();
    }
  }
}

CONFORMANCE_TEST(SlowSubscriber, TheSlowestLosslessSubscriberDecides, "SLOW-11") {
  NEEDS(lossless_reject);
  NEEDS(counts_subscribers);
  NEEDS(exact_depth);
  const std::string topic = uri("topic", "grant=reject&policy=lossless");
  ScriptedPeer& sinks = peer("sinks");
  auto deep = sinks.subscriber(topic + "&depth=9");
  auto shallow = sinks.subscriber(topic + "&depth=3");
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(2);
  EXPECT_EQ(publisher.publish({.count = 50, .when = When::held_back_end}), 3U);
  EXPECT_EQ(deep.take_all(), 3U);
  EXPECT_EQ(publisher.publish({.count = 50, .when = When::held_back_end}), 0U);
  EXPECT_EQ(shallow.take_all(), 3U);
  EXPECT_EQ(publisher.publish({.count = 50, .when = When::held_back_end}), 3U);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(shallow.take_all(), 3U);
    EXPECT_EQ(publisher.publish({.count = 50, .when = When::held_back_end}), 3U);
  }
  shallow.take_all();
  EXPECT_EQ(publisher.publish({.count = 50, .when = When::held_back_end}), 0U) << "the deep one has 9 unread";
  deep.take_all();
  EXPECT_SOUND(check_accepted(deep.events(), publisher.events(), 0));
  EXPECT_SOUND(check_accepted(shallow.events(), publisher.events(), 0));
}

CONFORMANCE_TEST(SlowSubscriber, ARefusedPublishKeepsItsLoanAndSpendsNoNumber, "SLOW-12") {
  NEEDS(lossless_reject);
  const std::string topic = uri("topic", "depth=2&grant=reject&policy=lossless");
  auto subscriber = peer("sink").subscriber(topic);
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(1);
  const std::uint64_t header = has(feature::user_header) ? 30 : 0;
  for (int round = 0; round < 5; ++round) {
    publisher.publish({.count = 1000, .size = 3000, .header_size = header, .when = When::held_back_end});
    // The peer compares the loan's bytes before each new try.
    EXPECT_TRUE(publisher.try_publish().is(ErrorCode::back_pressure));
    EXPECT_TRUE(publisher.try_publish().is(ErrorCode::back_pressure));
    EXPECT_GE(subscriber.take(taken_for_a_place(capabilities())), 1U);
    EXPECT_TRUE(publisher.try_publish());
  }
  publisher.drop_loans();
  subscriber.take_all();
  publisher.publish();
  subscriber.take_all();
  EXPECT_SOUND(check_numbers(publisher.events()));
  EXPECT_SOUND(check_sound(subscriber));
  EXPECT_SOUND(check_accepted(subscriber.events(), publisher.events(), 0));
}

CONFORMANCE_TEST(SlowSubscriber, NobodyReceivesARefusedSample, "SLOW-13") {
  NEEDS(lossless_reject);
  NEEDS(drop_oldest);
  NEEDS(counts_subscribers);
  const std::string topic = uri("topic", "grant=reject");
  auto strict = peer("strict").subscriber(topic + "&policy=lossless&depth=2");
  auto quick = peer("quick").subscriber(topic + "&policy=drop_oldest&depth=64");
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(2);
  const std::uint64_t accepted = publisher.publish({.count = 100'000, .when = When::held_back_end});
  EXPECT_EQ(quick.take_all(), accepted);
  EXPECT_TRUE(publisher.try_publish().is(ErrorCode::back_pressure));
  EXPECT_EQ(quick.take_all(), 0U);
  publisher.drop_loans();
  EXPECT_EQ(strict.take_all(), accepted);
  EXPECT_EQ(quick.take_all(), 0U);
  publisher.publish({.count = 1});
  EXPECT_EQ(quick.take_all(), 1U);
  EXPECT_SOUND(check_range(quick.events(), publisher.id(), 0, accepted + 1));
  EXPECT_SOUND(check_origin(quick.events(), publisher.events()));
}

CONFORMANCE_TEST(SlowSubscriber, ABlockedPublishGoesOnWhenASampleIsTaken, "SLOW-14") {
  NEEDS(lossless_block);
  const std::string topic = uri("topic", "depth=3&grant=block&policy=lossless");
  auto subscriber = peer("sink").subscriber(topic);
  ScriptedPeer& source = peer("source");
  auto publisher = source.publisher(topic);
  publisher.wait_for_subscribers(1);
  for (int round = 0; round < 10; ++round) {
    publisher.publish({.count = 100'000, .patience = std::chrono::nanoseconds(0), .when = When::held_back_end});
    publisher.begin_publish({.patience = Patience::unbounded()});
    source.wait_until_blocked();
    EXPECT_GE(subscriber.take(taken_for_a_place(capabilities())), 1U);
    EXPECT_EQ(source.finish_well(), 1U);
  }
  subscriber.take_all();
  EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, publisher.events(EventKind::published).size()));
}

CONFORMANCE_TEST(SlowSubscriber, ABlockedPublishReturnsBackPressureAtItsDeadline, "SLOW-15") {
  NEEDS(lossless_block);
  const std::string topic = uri("topic", "depth=2&grant=block&policy=lossless&deadline=20ms");
  auto subscriber = peer("sink").subscriber(topic);
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(1);
  publisher.publish({.count = 100'000, .when = When::held_back_end});
  EXPECT_GE(last_wait(publisher), short_wait) << "of the option";
  EXPECT_TRUE(publisher.try_publish({.patience = 2 * short_wait}).is(ErrorCode::back_pressure));
  EXPECT_GE(last_wait(publisher), 2 * short_wait) << "of the call";
  EXPECT_TRUE(publisher.try_publish({.patience = std::chrono::nanoseconds(0)}).is(ErrorCode::back_pressure));
  subscriber.take(taken_for_a_place(capabilities()));
  EXPECT_TRUE(publisher.try_publish({.patience = std::chrono::nanoseconds(0)})) << "there is space, so no need to wait";
  subscriber.take_all();
  EXPECT_SOUND(check_numbers(publisher.events()));
  EXPECT_SOUND(check_accepted(subscriber.events(), publisher.events(), 0));
}

CONFORMANCE_TEST(SlowSubscriber, LosslessLosesNothingUnderBlock, "SLOW-16") {
  NEEDS(lossless_block);
  NEEDS(counts_subscribers);
  constexpr std::uint64_t count = 1500;
  const std::string topic = uri("topic", "grant=block&deadline=60s");
  std::vector<ScriptedPeer*> sinks;
  std::vector<RemoteSubscriber> subscribers;
  for (const std::uint64_t depth : {1U, 4U, 50U}) {
    sinks.push_back(&peer(fmt::format("sink of depth {}", depth)));
    subscribers.push_back(sinks.back()->subscriber(topic + fmt::format("&policy=lossless&depth={}", depth)));
  }
  std::vector<ScriptedPeer*> sources;
  std::vector<RemotePublisher> publishers;
  for (const char* name : {"source 1", "source 2"}) {
    sources.push_back(&peer(name));
    publishers.push_back(sources.back()->publisher(topic));
    publishers.back().wait_for_subscribers(subscribers.size());
  }
  for (const RemoteSubscriber& subscriber : subscribers) subscriber.begin_receive({.publishers = 2, .next = count});
  for (const RemotePublisher& publisher : publishers) publisher.begin_publish({.count = count, .size_most = 2000});
  for (ScriptedPeer* source : sources) EXPECT_EQ(source->finish_well(), count);
  for (ScriptedPeer* sink : sinks) sink->finish_well();
  for (const RemoteSubscriber& subscriber : subscribers) {
    EXPECT_SOUND(check_sound(subscriber));
    for (const RemotePublisher& publisher : publishers) {
      EXPECT_EQ(taken_from(subscriber.events(), publisher.id()).size(), count);
      EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, count));
    }
  }
}

CONFORMANCE_TEST(SlowSubscriber, LosslessLosesNothingUnderReject, "SLOW-16") {
  NEEDS(lossless_reject);
  constexpr std::uint64_t count = 1500;
  for (const std::uint64_t depth : {1U, 5U}) {
    const std::string topic =
        uri(fmt::format("topic{}", depth), fmt::format("grant=reject&policy=lossless&depth={}", depth));
    ScriptedPeer& sink = peer(fmt::format("sink{}", depth));
    auto subscriber = sink.subscriber(topic);
    auto publisher = peer(fmt::format("source{}", depth)).publisher(topic);
    publisher.wait_for_subscribers(1);
    subscriber.begin_receive({.next = count, .waiting = WaitMethod::poll});
    EXPECT_EQ(publisher.publish({.count = count, .when = When::held_back_retry}), count);
    sink.finish_well();
    EXPECT_SOUND(check_sound(subscriber));
    EXPECT_EQ(taken_from(subscriber.events(), publisher.id()).size(), count);
  }
}

CONFORMANCE_TEST(SlowSubscriber, ASampleInHandIsReadAndHoldsNobodyBack, "SLOW-17") {
  NEEDS(lossless_reject);
  NEEDS(exact_depth);
  const std::string topic = uri("topic", "depth=2&grant=reject&policy=lossless&held=8");
  auto subscriber = peer("sink").subscriber(topic);
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(1);
  for (int round = 0; round < 4; ++round) {
    EXPECT_EQ(publisher.publish({.count = 9, .when = When::held_back_end}), 2U);
    EXPECT_EQ(subscriber.hold(2), 2U);
  }
  EXPECT_EQ(publisher.publish({.count = 9, .when = When::held_back_end}), 2U);
  EXPECT_EQ(subscriber.release(8), 8U);
  EXPECT_SOUND(check_sound(subscriber));
}

CONFORMANCE_TEST(SlowSubscriber, ALosslessSubscriberThatLeavesFreesThePublisher, "SLOW-18") {
  NEEDS(lossless);
  const std::string topic = uri("topic", "depth=2&policy=lossless");
  ScriptedPeer& sink = peer("sink");
  if (has(feature::lossless_reject)) {
    auto subscriber = sink.subscriber(topic);
    auto publisher = peer("rejected").publisher(topic + "&grant=reject");
    publisher.wait_for_subscribers(1);
    publisher.publish({.count = 100'000, .when = When::held_back_end});
    subscriber.close();
    EXPECT_EQ(publisher.publish({.count = 100}), 100U);
    publisher.close();
  }
  if (has(feature::lossless_block)) {
    auto subscriber = sink.subscriber(topic);
    ScriptedPeer& source = peer("blocked");
    auto publisher = source.publisher(topic + "&grant=block");
    publisher.wait_for_subscribers(1);
    publisher.begin_publish({.count = 1000, .patience = Patience::unbounded()});
    source.wait_until_blocked();
    subscriber.close();
    EXPECT_EQ(source.finish_well(), 1000U);
  }
}

CONFORMANCE_TEST(SlowSubscriber, PoliciesThatDoNotFitAreRefusedAtJoinNamingBoth, "SLOW-20") {
  NEEDS(negotiates_policy);
  NEEDS(lossless);
  ScriptedPeer& sink = peer("sink");
  ScriptedPeer& source = peer("source");
  source.publisher(uri("publisher-first", "grant=drop"));
  const Outcome late_subscriber = sink.try_subscriber(uri("publisher-first", "policy=lossless"));
  sink.subscriber(uri("subscriber-first", "policy=lossless"));
  const Outcome late_publisher = source.try_publisher(uri("subscriber-first", "grant=drop"));
  for (const Outcome& refused : {late_subscriber, late_publisher}) {
    EXPECT_TRUE(refused.is(ErrorCode::incompatible)) << to_string(refused);
    EXPECT_NE(refused.text.find("lossless"), std::string::npos) << refused.text;
    EXPECT_NE(refused.text.find("drop"), std::string::npos) << refused.text;
  }
}

CONFORMANCE_TEST(SlowSubscriber, ADepthAboveThePublishersIsRefusedAtJoin, "SLOW-21") {
  NEEDS(negotiates_policy);
  ScriptedPeer& sink = peer("sink");
  ScriptedPeer& source = peer("source");
  source.publisher(uri("publisher-first", "depth=7"));
  EXPECT_TRUE(sink.try_subscriber(uri("publisher-first", "depth=8")).is(ErrorCode::incompatible));
  EXPECT_TRUE(sink.try_subscriber(uri("publisher-first", "depth=7")));
  sink.subscriber(uri("subscriber-first", "depth=8"));
  EXPECT_TRUE(source.try_publisher(uri("subscriber-first", "depth=7")).is(ErrorCode::incompatible));
  EXPECT_TRUE(source.try_publisher(uri("subscriber-first", "depth=8")));
}

CONFORMANCE_TEST(SlowSubscriber, ARefusedJoinDisturbsNobody, "SLOW-22") {
  NEEDS(negotiates_policy);
  NEEDS(full_membership);
  const std::string topic = uri("topic", "depth=8");
  auto subscriber = peer("sink").subscriber(topic);
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(1);
  ScriptedPeer& misfit = peer("misfit");
  for (int round = 0; round < 5; ++round) {
    publisher.publish({.count = 2});
    EXPECT_TRUE(misfit.try_subscriber(uri("topic", "depth=9")).is(ErrorCode::incompatible));
    EXPECT_TRUE(misfit.try_publisher(uri("topic", "depth=7")).is(ErrorCode::incompatible));
    EXPECT_EQ(subscriber.take_all(), 2U);
  }
  EXPECT_EQ(publisher.try_list_peers().value, 1U);
  EXPECT_EQ(subscriber.try_list_peers().value, 1U);
  EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, 10));
}

}  // namespace weir::conformance
