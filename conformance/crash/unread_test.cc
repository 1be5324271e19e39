// CRASH: what publish accepted reaches those who were attached, whatever became of the publisher.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/crash/ending.h"
#include "conformance/harness/fixture.h"

namespace weir::conformance {

using Crash = ConformanceTest;

CONFORMANCE_TEST(Crash, AThousandUnreadSamplesOutliveTheirPublisher, "CRASH-1") {
  NEEDS(processes);
  NEEDS(survives_publisher);
  NEEDS(lossless);
  const std::uint64_t count = std::min<std::uint64_t>(1000, capabilities().max_depth);
  ScriptedPeer& sink = peer("sink");
  for (const End end : ends) {
    const std::string topic =
        fresh_uri(fmt::format("policy=lossless&{}&depth={}", lossless_grant(capabilities()), count));
    auto subscriber = sink.subscriber(topic);
    ScriptedPeer& source = peer(fmt::format("source that {}", to_string(end)));
    auto publisher = source.publisher(topic);
    publisher.wait_for_subscribers(1);
    EXPECT_EQ(publisher.publish({.count = count, .size = 0, .size_most = 3000}), count);
    bring_to_end(source, end);
    EXPECT_EQ(subscriber.take_all(), count) << "its publisher " << to_string(end);
    EXPECT_SOUND(check_sound(subscriber));
    EXPECT_SOUND(check_accepted(subscriber.events(), publisher.events(), 0));
    EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, count));
    EXPECT_EQ(subscriber.take_all(), 0U);
    subscriber.close();
  }
}

CONFORMANCE_TEST(Crash, SamplesOfEverySizeOutliveTheirPublisher, "CRASH-1") {
  NEEDS(processes);
  NEEDS(survives_publisher);
  constexpr std::array<std::uint64_t, 9> sizes{0, 1, 24, 63, 500, 4096, 70'000, 300'000, 1U << 20U};
  const std::string topic = uri("topic", "depth=32");
  ScriptedPeer& sink = peer("sink");
  // One that has seen some of the sizes before, and one that has seen nothing at all.
  auto experienced = sink.subscriber(topic);
  auto fresh = sink.subscriber(topic);
  ScriptedPeer& source = peer("source");
  auto publisher = source.publisher(topic);
  publisher.wait_for_subscribers(has(feature::counts_subscribers) ? 2 : 1);
  publisher.publish({.count = 2, .size = 24});
  publisher.publish({.count = 2, .size = 4096});
  EXPECT_EQ(experienced.take_all(), 4U);
  for (const std::uint64_t size : sizes) publisher.publish({.count = 3, .size = size});
  source.kill();
  EXPECT_EQ(experienced.take_all(), 3 * sizes.size());
  EXPECT_EQ(fresh.take_all(), 4 + 3 * sizes.size());
  for (const RemoteSubscriber& subscriber : {experienced, fresh}) {
    EXPECT_SOUND(check_sound(subscriber));
    EXPECT_SOUND(check_origin(subscriber.events(), publisher.events()));
    EXPECT_SOUND(check_accepted(subscriber.events(), publisher.events(), 0));
  }
}

CONFORMANCE_TEST(Crash, WhoComesAfterTheDeathTakesNothingFromThoseWhoWereThere, "CRASH-1") {
  NEEDS(processes);
  NEEDS(survives_publisher);
  const std::string topic = uri("topic", "depth=64");
  auto subscriber = peer("sink").subscriber(topic);
  ScriptedPeer& source = peer("source");
  auto publisher = source.publisher(topic);
  publisher.wait_for_subscribers(1);
  publisher.publish({.count = 40, .size = 10, .size_most = 30'000});
  EXPECT_EQ(subscriber.take(5), 5U);
  source.kill();
  ScriptedPeer& others = peer("others");
  for (int round = 0; round < 3; ++round) {
    others.subscriber(topic).close();
    auto successor = others.publisher(topic);
    successor.wait_for_subscribers(1);
    successor.publish({.count = 10, .size = 10, .size_most = 30'000});
    EXPECT_EQ(subscriber.take(5), 5U);
    successor.close();
  }
  subscriber.take_all();
  EXPECT_SOUND(check_sound(subscriber));
  EXPECT_SOUND(check_accepted(subscriber.events(), publisher.events(), 0));
  EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, 40));
  EXPECT_SOUND(check_accepted(subscriber.events(), others.events(), 0));
}

CONFORMANCE_TEST(Crash, APublisherThatCameAndDiedBetweenTwoLooksIsReceived, "CRASH-1") {
  NEEDS(processes);
  NEEDS(survives_publisher);
  NEEDS(counts_subscribers);
  ScriptedPeer& sink = peer("sink");
  ScriptedPeer& other = peer("other");
  for (const End end : ends) {
    const std::string topic = fresh_uri("depth=16");
    auto subscriber = sink.subscriber(topic);
    ScriptedPeer& source = peer(fmt::format("source that {}", to_string(end)));
    auto publisher = source.publisher(topic);
    publisher.wait_for_subscribers(1);
    publisher.publish({.count = 10, .size = 5, .size_most = 9000});
    bring_to_end(source, end);
    // Who comes now may tidy up, but not this.
    other.publisher(topic).close();
    other.subscriber(topic).close();
    EXPECT_EQ(subscriber.take_all(), 10U) << "its publisher " << to_string(end);
    EXPECT_SOUND(check_sound(subscriber));
    EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, 10));
    subscriber.close();
  }
}

CONFORMANCE_TEST(Crash, WhatOneHasReadOfTheGoneComesNotAgainWhileAnotherHasYetToReadIt, "CRASH-1", "ORD-2") {
  NEEDS(processes);
  NEEDS(survives_publisher);
  NEEDS(counts_subscribers);
  const std::string topic = uri("topic", "depth=16");
  auto quick = peer("quick").subscriber(topic);
  auto slow = peer("slow").subscriber(topic);
  ScriptedPeer& others = peer("others");
  for (const End end : ends) {
    ScriptedPeer& source = peer(fmt::format("source that {}", to_string(end)));
    auto publisher = source.publisher(topic);
    publisher.wait_for_subscribers(2);
    publisher.publish({.count = 5, .size = 0, .size_most = 9000});
    bring_to_end(source, end);
    EXPECT_EQ(quick.take_all(), 5U) << "its publisher " << to_string(end);
    for (int round = 0; round < 3; ++round) {
      others.subscriber(topic).close();
      others.publisher(topic).close();
      EXPECT_EQ(quick.take_all(), 0U) << "its publisher " << to_string(end);
      EXPECT_EQ(slow.take(1), 1U) << "its publisher " << to_string(end);
    }
    EXPECT_EQ(slow.take_all(), 2U) << "its publisher " << to_string(end);
    EXPECT_EQ(quick.take_all(), 0U) << "its publisher " << to_string(end);
  }
  for (const RemoteSubscriber& subscriber : {quick, slow}) EXPECT_SOUND(check_sound(subscriber));
}

CONFORMANCE_TEST(Crash, ADroppingSubscriberFindsTheNewestAndTheExactLossAfterTheDeath, "CRASH-1") {
  NEEDS(processes);
  NEEDS(survives_publisher);
  NEEDS(drop_oldest);
  NEEDS(exact_depth);
  const std::string topic = uri("topic", "policy=drop_oldest");
  ScriptedPeer& sink = peer("sink");
  auto shallow = sink.subscriber(topic + "&depth=3");
  auto deep = sink.subscriber(topic + "&depth=40");
  ScriptedPeer& source = peer("source");
  auto publisher = source.publisher(topic);
  publisher.wait_for_subscribers(2);
  publisher.publish({.count = 7});
  EXPECT_EQ(shallow.take(1), 1U);
  EXPECT_EQ(deep.take(2), 2U);
  publisher.publish({.count = 40});
  source.kill();
  EXPECT_EQ(shallow.take_all(), 3U);
  EXPECT_EQ(deep.take_all(), 40U);
  for (const RemoteSubscriber& subscriber : {shallow, deep}) {
    EXPECT_EQ(subscriber.last_event(EventKind::taken).sequence, 46U);
    EXPECT_SOUND(check_sound(subscriber));
    if (has(feature::exact_loss)) EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, 47));
  }
}

CONFORMANCE_TEST(Crash, ASuccessorIsAnotherPublisherReadFromItsFirstSample, "CRASH-2") {
  NEEDS(processes);
  NEEDS(survives_publisher);
  NEEDS(full_membership);
  const std::string topic = uri("topic", "depth=16&name=source");
  auto subscriber = peer("sink").subscriber(topic);
  PeerId before = 0;
  for (const End end : {End::is_killed, End::exits, End::is_killed_as_child, End::is_killed}) {
    ScriptedPeer& source = peer("source");
    auto publisher = source.publisher(topic);
    EXPECT_NE(publisher.id(), before);
    before = publisher.id();
    publisher.wait_for_subscribers(1);
    publisher.publish({.count = 6});
    bring_to_end(source, end);
    EXPECT_EQ(subscriber.take(3), 3U);  // the rest while the next one is there already
  }
  subscriber.take_all();
  EXPECT_SOUND(check_sound(subscriber));
  const auto publishers = publishers_of(subscriber.events());
  EXPECT_EQ(publishers.size(), 4U);
  for (const PeerId publisher : publishers) EXPECT_SOUND(check_range(subscriber.events(), publisher, 0, 6));
}

}  // namespace weir::conformance
