// ORD: order, numbers, identity.
#include <array>
#include <chrono>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/harness/fixture.h"

namespace weir::conformance {

using Ordering = ConformanceTest;

namespace {

// Of publish times: two clocks are read.
constexpr std::chrono::microseconds clock_tolerance(50);

}  // namespace

CONFORMANCE_TEST(Ordering, SamplesOfOnePublisherArriveInItsOrder, "ORD-1") {
  const std::string topic = uri("topic", "depth=200");
  auto subscriber = peer("sink").subscriber(topic);
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(1);
  publisher.publish({.count = 200});
  EXPECT_EQ(subscriber.take_all(), 200U);
  EXPECT_SOUND(check_sound(subscriber));
  EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, 200));
}

CONFORMANCE_TEST(Ordering, TakingAndPublishingByTurnsKeepsTheOrder, "ORD-1", "ORD-2") {
  const std::string topic = uri("topic", "depth=4");
  auto subscriber = peer("sink").subscriber(topic);
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(1);
  std::uint64_t sent = 0;
  for (std::uint64_t round = 0; round < 60; ++round) {
    const std::uint64_t count = round % 4 + 1;
    publisher.publish({.count = count});
    EXPECT_EQ(subscriber.take_all(), count) << "in round " << round;
    EXPECT_EQ(subscriber.take_all(), 0U) << "in round " << round;
    sent += count;
  }
  EXPECT_SOUND(check_sound(subscriber));
  EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, sent));
}

CONFORMANCE_TEST(Ordering, NothingComesTwice, "ORD-2") {
  const std::string topic = uri("topic", "depth=8");
  auto subscriber = peer("sink").subscriber(topic);
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(1);
  publisher.publish({.count = 5});
  EXPECT_EQ(subscriber.hold(5), 5U);
  EXPECT_EQ(subscriber.take_all(), 0U);
  publisher.publish({.count = 3});
  EXPECT_EQ(subscriber.take_all(), 3U);
  EXPECT_EQ(subscriber.release(5), 5U);
  EXPECT_EQ(subscriber.take_all(), 0U);
  EXPECT_SOUND(check_sound(subscriber));
}

CONFORMANCE_TEST(Ordering, SequencesCountFromZeroWithoutGaps, "ORD-3") {
  NEEDS(sequence);
  const std::string topic = uri("topic", "depth=16");
  auto lonely = peer("source").publisher(topic);
  lonely.publish({.count = 20});  // without any subscriber the count goes on just so
  auto subscriber = peer("sink").subscriber(topic);
  lonely.wait_for_subscribers(1);
  lonely.publish({.count = 10});
  subscriber.take_all();
  EXPECT_SOUND(check_numbers(lonely.events()));
  EXPECT_SOUND(check_range(subscriber.events(), lonely.id(), 20, 30));
}

CONFORMANCE_TEST(Ordering, EachPublisherCountsForItself, "ORD-3", "ORD-4") {
  NEEDS(sequence);
  const std::string topic = uri("topic", "depth=64");
  ScriptedPeer& both = peer("sources");
  auto subscriber = peer("sink").subscriber(topic);
  auto first = both.publisher(topic);
  auto second = both.publisher(topic);
  first.wait_for_subscribers(1);
  second.wait_for_subscribers(1);
  for (int round = 0; round < 10; ++round) {
    first.publish({.count = 1});
    second.publish({.count = 2});
  }
  EXPECT_EQ(subscriber.take_all(), 30U);
  EXPECT_SOUND(check_sound(subscriber));
  EXPECT_SOUND(check_range(subscriber.events(), first.id(), 0, 10));
  EXPECT_SOUND(check_range(subscriber.events(), second.id(), 0, 20));
}

CONFORMANCE_TEST(Ordering, SamplesNameTheirPublisher, "ORD-4") {
  NEEDS(full_membership);
  const std::string topic = uri("topic");
  auto subscriber = peer("sink").subscriber(topic);
  std::set<PeerId> ids;
  for (const char* name : {"first", "second", "third"}) {
    auto publisher = peer(name).publisher(topic);
    EXPECT_NE(publisher.id(), 0U);
    EXPECT_TRUE(ids.insert(publisher.id()).second) << "two publishers have the id " << publisher.id();
    publisher.wait_for_subscribers(1);
    publisher.publish({.count = 2});
  }
  subscriber.take_all();
  const auto publishers = publishers_of(subscriber.events());
  EXPECT_EQ(std::set<PeerId>(publishers.begin(), publishers.end()), ids);
  EXPECT_SOUND(check_content(subscriber.events()));
}

CONFORMANCE_TEST(Ordering, ADroppedLoanSpendsNoNumber, "ORD-5") {
  NEEDS(sequence);
  const std::string topic = uri("topic");
  Subscriber subscriber = this->subscriber(topic);
  Publisher publisher = this->publisher(topic);
  ASSERT_TRUE(publisher.wait_for_subscribers(1, never));
  const std::array<std::byte, 8> message{};
  EXPECT_EQ(must(publisher.send(message), "send"), 0U);
  { Loan dropped = must(publisher.loan(8), "loan"); }
  Loan late = must(publisher.loan(8), "loan");
  EXPECT_EQ(must(publisher.send(message), "send"), 1U);  // the number is that of the publish, not of the loan
  { Loan dropped = must(publisher.loan(1000), "loan"); }
  EXPECT_EQ(must(late.publish(), "publish"), 2U);
  for (std::uint64_t expected = 0; expected < 3; ++expected) {
    const Sample sample = must(subscriber.take(), "take");
    ASSERT_TRUE(sample);
    EXPECT_EQ(sample.sequence(), expected);
    EXPECT_EQ(sample.lost_before(), 0U);
  }
  EXPECT_FALSE(must(subscriber.take(), "take"));
}

CONFORMANCE_TEST(Ordering, EverySubscriberGetsTheWholeStream, "ORD-6") {
  NEEDS(counts_subscribers);
  const std::string topic = uri("topic", "depth=100");
  ScriptedPeer& near = peer("two sinks");
  const std::array<RemoteSubscriber, 3> subscribers{near.subscriber(topic), near.subscriber(topic),
                                                    peer("sink").subscriber(topic)};
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(3);
  publisher.publish({.count = 50});
  subscribers[0].take_all();
  publisher.publish({.count = 50});
  for (const RemoteSubscriber& subscriber : subscribers) {
    subscriber.take_all();
    EXPECT_SOUND(check_sound(subscriber));
    EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, 100));
  }
}

CONFORMANCE_TEST(Ordering, ManyPublishersAndSubscribersAtOnceKeepEveryOrder, "ORD-7", "ORD-1", "ORD-2") {
  NEEDS(counts_subscribers);
  constexpr std::uint64_t count = 1500;
  const std::string topic = uri("topic", "depth=32");
  std::vector<ScriptedPeer*> sinks;
  std::vector<RemoteSubscriber> subscribers;
  std::vector<RemotePublisher> publishers;
  for (const char* name : {"sink 1", "sink 2", "sink 3"}) {
    sinks.push_back(&peer(name));
    subscribers.push_back(sinks.back()->subscriber(topic));
  }
  std::vector<ScriptedPeer*> sources;
  for (const char* name : {"source 1", "source 2", "source 3"}) {
    sources.push_back(&peer(name));
    publishers.push_back(sources.back()->publisher(topic));
    publishers.back().wait_for_subscribers(subscribers.size());
  }
  const std::array<WaitMethod, 3> waiting{WaitMethod::wait, WaitMethod::poll, WaitMethod::wait_set};
  for (std::size_t at = 0; at < sinks.size(); ++at) {
    subscribers[at].begin_receive({.publishers = publishers.size(), .next = count, .waiting = waiting.at(at)});
  }
  for (const RemotePublisher& publisher : publishers) {
    publisher.begin_publish({.count = count, .size = 0, .size_most = 3000});
  }
  for (ScriptedPeer* source : sources) source->finish_well();
  for (ScriptedPeer* sink : sinks) sink->finish_well();
  for (const RemoteSubscriber& subscriber : subscribers) {
    EXPECT_SOUND(check_sound(subscriber));
    for (const RemotePublisher& publisher : publishers) {
      if (has(feature::exact_loss)) {
        EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, count));
      }
      EXPECT_SOUND(check_numbers(publisher.events()));
    }
  }
}

CONFORMANCE_TEST(Ordering, APublisherThatComesBackIsAnotherOneAndCountsFromZero, "ORD-8") {
  NEEDS(full_membership);
  const std::string topic = uri("topic", "name=source&depth=16");
  auto subscriber = peer("sink").subscriber(topic);
  ScriptedPeer& source = peer("source");
  PeerId before = 0;
  for (int life = 0; life < 3; ++life) {
    auto publisher = source.publisher(topic);
    EXPECT_NE(publisher.id(), before);
    publisher.wait_for_subscribers(1);
    publisher.publish({.count = 5});
    publisher.close();
    EXPECT_EQ(subscriber.take_all(), 5U) << "in life " << life;
    EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, 5));
    before = publisher.id();
  }
}

CONFORMANCE_TEST(Ordering, ThePublishTimeIsThatOfThePublish, "ORD-9") {
  NEEDS(publish_time);
  const std::string topic = uri("topic");
  Subscriber subscriber = this->subscriber(topic);
  Publisher publisher = this->publisher(topic);
  ASSERT_TRUE(publisher.wait_for_subscribers(1, never));
  for (int round = 0; round < 10; ++round) {
    const auto before = std::chrono::steady_clock::now();
    must(publisher.send({}), "send");
    const auto after = std::chrono::steady_clock::now();
    const Sample sample = must(subscriber.take(), "take");
    ASSERT_TRUE(sample);
    EXPECT_GE(sample.publish_time(), before - clock_tolerance);
    EXPECT_LE(sample.publish_time(), after + clock_tolerance);
  }
}

CONFORMANCE_TEST(Ordering, ThePublishTimeIsThatOfThePublishInAnotherProcess, "ORD-9") {
  NEEDS(publish_time);
  constexpr std::size_t count = 10;
  const std::string topic = uri("topic", fmt::format("depth={}", count));
  Subscriber subscriber = this->subscriber(topic);
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(1);
  publisher.publish({.count = count});
  const auto begun = publisher.events(EventKind::publishing);
  const auto done = publisher.events(EventKind::published);
  ASSERT_EQ(begun.size(), count);
  ASSERT_EQ(done.size(), count);
  for (std::size_t at = 0; at < count; ++at) {
    const Sample sample = must_take(subscriber);
    const std::chrono::nanoseconds time = sample.publish_time().time_since_epoch();
    EXPECT_GE(time, std::chrono::nanoseconds(begun[at].time) - clock_tolerance);
    EXPECT_LE(time, std::chrono::nanoseconds(done[at].time) + clock_tolerance);
  }
}

CONFORMANCE_TEST(Ordering, TopicsDoNotMix, "ORD-10") {
  ScriptedPeer& sink = peer("sink");
  ScriptedPeer& source = peer("source");
  auto left_in = sink.subscriber(uri("left"));
  auto right_in = sink.subscriber(uri("left/right"));
  auto left_out = source.publisher(uri("left"));
  auto right_out = source.publisher(uri("left/right"));
  left_out.wait_for_subscribers(1);
  right_out.wait_for_subscribers(1);
  left_out.publish({.count = 3});
  right_out.publish({.count = 4});
  EXPECT_EQ(left_in.take_all(), 3U);
  EXPECT_EQ(right_in.take_all(), 4U);
  EXPECT_SOUND(check_origin(left_in.events(), left_out.events()));
  EXPECT_SOUND(check_origin(right_in.events(), right_out.events()));
}

}  // namespace weir::conformance
