// SLOW: subscribers that lose rather than hold anybody back.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/harness/fixture.h"

namespace weir::conformance {

using SlowSubscriber = ConformanceTest;

namespace {

constexpr std::array<std::uint64_t, 5> depths{1, 2, 3, 7, 16};

// Numbers of messages around a depth, where mistakes by one show, and one that goes round several times.
std::array<std::uint64_t, 4> counts_around(std::uint64_t depth) { return {depth, depth + 1, 2 * depth, 5 * depth + 3}; }

}  // namespace

CONFORMANCE_TEST(SlowSubscriber, DropOldestKeepsTheNewestDepth, "SLOW-1") {
  NEEDS(drop_oldest);
  NEEDS(exact_depth);
  ScriptedPeer& sink = peer("sink");
  ScriptedPeer& source = peer("source");
  for (const std::uint64_t depth : depths) {
    for (const std::uint64_t count : counts_around(depth)) {
      const std::string topic = fresh_uri(fmt::format("depth={}&policy=drop_oldest", depth));
      auto subscriber = sink.subscriber(topic);
      auto publisher = source.publisher(topic);
      publisher.wait_for_subscribers(1);
      publisher.publish({.count = count});
      EXPECT_EQ(subscriber.take_all(), depth) << "depth " << depth << ", published " << count;
      EXPECT_EQ(subscriber.first_event(EventKind::taken).sequence, count - depth);
      EXPECT_SOUND(check_sound(subscriber));
      if (has(feature::exact_loss)) EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, count));
      subscriber.close();
      publisher.close();
    }
  }
}

CONFORMANCE_TEST(SlowSubscriber, DropOldestIsExactWithALargerPublisherDepth, "SLOW-1") {
  NEEDS(drop_oldest);
  NEEDS(exact_depth);
  ScriptedPeer& sink = peer("sink");
  for (const std::uint64_t depth : depths) {
    auto subscriber = sink.subscriber(uri(fmt::format("topic{}", depth), fmt::format("depth={}", depth)));
    auto publisher = peer(fmt::format("source{}", depth)).publisher(uri(fmt::format("topic{}", depth), "depth=100"));
    publisher.wait_for_subscribers(1);
    publisher.publish({.count = 45});
    EXPECT_EQ(subscriber.take_all(), depth);
    EXPECT_EQ(subscriber.first_event(EventKind::taken).sequence, 45 - depth);
    EXPECT_SOUND(check_sound(subscriber));
    if (has(feature::exact_loss)) EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, 45));
  }
}

CONFORMANCE_TEST(SlowSubscriber, DropOldestDeliversAtLeastDepth, "SLOW-2") {
  NEEDS(drop_oldest);
  const std::string topic = uri("topic", "depth=8&policy=drop_oldest");
  auto subscriber = peer("sink").subscriber(topic);
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(1);
  publisher.publish({.count = 8});
  EXPECT_EQ(subscriber.take_all(), 8U);
  publisher.publish({.count = 800});
  EXPECT_GE(subscriber.take_all(), 8U);
  EXPECT_SOUND(check_sound(subscriber));
  EXPECT_EQ(subscriber.last_event(EventKind::taken).sequence, 807U) << "the newest is missing";
}

CONFORMANCE_TEST(SlowSubscriber, DropNewestKeepsTheOldestDepth, "SLOW-3") {
  NEEDS(drop_newest);
  NEEDS(exact_depth);
  ScriptedPeer& sink = peer("sink");
  ScriptedPeer& source = peer("source");
  for (const std::uint64_t depth : depths) {
    for (const std::uint64_t count : counts_around(depth)) {
      const std::string topic = fresh_uri(fmt::format("depth={}&policy=drop_newest", depth));
      auto subscriber = sink.subscriber(topic);
      auto publisher = source.publisher(topic);
      publisher.wait_for_subscribers(1);
      publisher.publish({.count = count});
      EXPECT_EQ(subscriber.take_all(), depth);
      EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, depth));
      publisher.publish();  // the next one that is queued announces what was not
      EXPECT_EQ(subscriber.take_all(), 1U);
      if (has(feature::exact_loss)) EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, count + 1));
      EXPECT_SOUND(check_sound(subscriber));
    }
  }
}

CONFORMANCE_TEST(SlowSubscriber, EveryLossIsAnnouncedExactlyWhereItHappened, "SLOW-4") {
  NEEDS(exact_loss);
  NEEDS(drop_oldest);
  for (const std::uint64_t depth : {1U, 2U, 5U}) {
    const std::string topic = uri(fmt::format("topic{}", depth), fmt::format("depth={}", depth));
    auto subscriber = peer(fmt::format("sink{}", depth)).subscriber(topic);
    auto publisher = peer(fmt::format("source{}", depth)).publisher(topic);
    publisher.wait_for_subscribers(1);
    std::uint64_t sent = 0;
    for (std::uint64_t round = 0; round < 100; ++round) {
      const std::uint64_t burst = round * 7 % 13;
      publisher.publish({.count = burst});
      sent += burst;
      subscriber.take(round * 5 % 4);
    }
    subscriber.take_all();
    EXPECT_SOUND(check_sound(subscriber));
    EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, sent));
  }
}

CONFORMANCE_TEST(SlowSubscriber, LossesAreExactWhileThePublisherRaces, "SLOW-4") {
  NEEDS(exact_loss);
  NEEDS(drop_oldest);
  NEEDS(counts_subscribers);
  constexpr std::uint64_t count = 20000;
  const std::string options = "policy=drop_oldest";
  ScriptedPeer& source = peer("source");
  auto publisher = source.publisher(uri("topic", options));
  std::vector<ScriptedPeer*> sinks;
  std::vector<RemoteSubscriber> subscribers;
  for (const std::uint64_t depth : {1U, 2U, 10U}) {
    sinks.push_back(&peer(fmt::format("sink of depth {}", depth)));
    subscribers.push_back(sinks.back()->subscriber(uri("topic", fmt::format("{}&depth={}", options, depth))));
  }
  publisher.wait_for_subscribers(subscribers.size());
  for (const RemoteSubscriber& subscriber : subscribers) {
    subscriber.begin_receive({.next = count, .waiting = WaitMethod::spin});
  }
  publisher.publish({.count = count, .size = 40, .size_most = 400});
  for (std::size_t at = 0; at < sinks.size(); ++at) {
    sinks[at]->finish_well();
    EXPECT_SOUND(check_sound(subscribers[at]));
    EXPECT_SOUND(check_range(subscribers[at].events(), publisher.id(), 0, count));
  }
}

CONFORMANCE_TEST(SlowSubscriber, ADroppingSubscriberThatNeverTakesHarmsNobody, "SLOW-5") {
  NEEDS(drop_oldest);
  NEEDS(lossless);
  NEEDS(counts_subscribers);
  const std::string topic = uri("topic", has(feature::lossless_block) ? "grant=block&deadline=60s" : "grant=reject");
  peer("idle").subscriber(topic + "&policy=drop_oldest&depth=2");
  ScriptedPeer& sink = peer("sink");
  auto subscriber = sink.subscriber(topic + "&policy=lossless&depth=4");
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(2);
  subscriber.begin_receive({.next = 2000});
  EXPECT_EQ(publisher.publish({.count = 2000, .when = When::held_back_retry}), 2000U);
  sink.finish_well();
  EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, 2000));
  for (const Event& event : subscriber.events(EventKind::taken)) ASSERT_EQ(event.lost_before, 0U);
}

CONFORMANCE_TEST(SlowSubscriber, APublisherOfDroppingSubscribersIsNeverHeldBack, "SLOW-6") {
  NEEDS(drop_oldest);
  for (const char* grant : {"drop", "block", "reject"}) {
    if (grant == std::string("block") && !has(feature::lossless_block)) continue;
    if (grant == std::string("reject") && !has(feature::lossless_reject)) continue;
    const std::string topic = uri(grant, fmt::format("grant={}&depth=1&policy=drop_oldest", grant));
    auto publisher = peer(fmt::format("source {}", grant)).publisher(topic);
    EXPECT_EQ(publisher.publish({.count = 500}), 500U) << "without any subscriber, grant=" << grant;
    peer(fmt::format("idle {}", grant)).subscriber(topic);
    publisher.wait_for_subscribers(1);
    EXPECT_EQ(publisher.publish({.count = 500}), 500U) << "grant=" << grant;
  }
}

CONFORMANCE_TEST(SlowSubscriber, DepthIsForEachPublisher, "SLOW-7") {
  NEEDS(drop_oldest);
  NEEDS(exact_depth);
  const std::string topic = uri("topic", "depth=3");
  auto subscriber = peer("sink").subscriber(topic);
  ScriptedPeer& source = peer("sources");
  auto quick = source.publisher(topic);
  auto slow = source.publisher(topic);
  quick.wait_for_subscribers(1);
  slow.wait_for_subscribers(1);
  slow.publish({.count = 3});
  quick.publish({.count = 100});
  EXPECT_EQ(subscriber.take_all(), 6U);
  EXPECT_SOUND(check_range(subscriber.events(), slow.id(), 0, 3));
  const auto of_quick = taken_from(subscriber.events(), quick.id());
  ASSERT_EQ(of_quick.size(), 3U);
  EXPECT_EQ(of_quick.front().sequence, 97U);
  if (has(feature::exact_loss)) EXPECT_SOUND(check_range(subscriber.events(), quick.id(), 0, 100));
}

CONFORMANCE_TEST(SlowSubscriber, SamplesInHandAreNotOverwritten, "SLOW-8") {
  NEEDS(drop_oldest);
  const std::string topic = uri("topic", "depth=4");
  auto subscriber = peer("sink").subscriber(topic);
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(1);
  const std::uint64_t header = has(feature::user_header) ? 20 : 0;
  for (int round = 0; round < 8; ++round) {
    publisher.publish({.count = 4, .size = 1, .size_most = 9000, .header_size = header});
    EXPECT_EQ(subscriber.hold(4), 4U);
  }
  publisher.publish({.count = 1000, .size = 1, .size_most = 9000, .header_size = header});
  EXPECT_EQ(subscriber.release(32), 32U);
  subscriber.take_all();
  EXPECT_SOUND(check_sound(subscriber));
}

}  // namespace weir::conformance
