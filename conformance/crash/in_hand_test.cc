// CRASH: a sample in hand stays what it is, whoever dies.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/crash/ending.h"
#include "conformance/harness/fixture.h"
#include "conformance/harness/message.h"

namespace weir::conformance {

using Crash = ConformanceTest;

namespace {

// Messages that say which they are, even without a sequence.
PublishScript mixed(const Capabilities& capabilities) {
  return {.count = 16, .size = capabilities.sequence ? 0 : stamp_size, .size_most = 200'000};
}

std::uint32_t faults_of(const Sample& sample, const Capabilities& capabilities) {
  const MessageIdentity stated{sample.publisher(), capabilities.sequence ? sample.sequence() : spi::no_sequence};
  return read_message(sample.payload(), sample.header(), stated).faults;
}

}  // namespace

CONFORMANCE_TEST(Crash, SamplesInHandStayUnchangedWhenTheirPublisherDiesAndOthersPublish, "CRASH-3") {
  NEEDS(processes);
  ScriptedPeer& sink = peer("sink");
  for (const End end : ends) {
    const std::string topic = fresh_uri("depth=16&held=64");
    auto subscriber = sink.subscriber(topic);
    ScriptedPeer& source = peer(fmt::format("source that {}", to_string(end)));
    auto publisher = source.publisher(topic);
    publisher.wait_for_subscribers(1);
    publisher.publish(mixed(capabilities()));
    EXPECT_EQ(subscriber.hold(16), 16U);
    bring_to_end(source, end);
    ScriptedPeer& next = peer(fmt::format("successor of the one that {}", to_string(end)));
    auto successor = next.publisher(topic);
    static_cast<void>(subscriber.readable());  // it may learn only by its own calls that a publisher has come
    successor.wait_for_subscribers(1);
    for (int round = 0; round < 20; ++round) {
      successor.publish(mixed(capabilities()));
      EXPECT_EQ(subscriber.hold(8), 8U);
      subscriber.take_all();
      if (round > 2) subscriber.release(8);
    }
    subscriber.release(64);
    EXPECT_SOUND(check_sound(subscriber));
    std::vector<Event> sent = source.events();
    const std::vector<Event> sent_later = next.events();
    sent.insert(sent.end(), sent_later.begin(), sent_later.end());
    EXPECT_SOUND(check_origin(subscriber.events(), sent));
    subscriber.close();
  }
}

CONFORMANCE_TEST(Crash, SamplesInHandOutliveTheirSubscriberItsNodeAndTheDeathOfTheirPublisher, "CRASH-3") {
  NEEDS(processes);
  const std::string topic = uri("topic", "depth=16");
  auto own_node = std::make_unique<Node>(must(Node::open(), "opening a node"));
  auto subscriber = std::make_unique<Subscriber>(must(own_node->subscriber(topic), "opening a subscriber"));
  ScriptedPeer& source = peer("source");
  auto publisher = source.publisher(topic);
  publisher.wait_for_subscribers(1);
  publisher.publish(mixed(capabilities()));
  std::vector<Sample> samples;
  while (Sample sample = must(subscriber->take(), "take")) samples.push_back(std::move(sample));
  EXPECT_EQ(samples.size(), 16U);
  subscriber.reset();
  own_node.reset();
  source.kill();
  auto successor = peer("successor").publisher(topic);
  for (int round = 0; round < 10; ++round) successor.publish(mixed(capabilities()));
  for (const Sample& sample : samples) EXPECT_EQ(faults_of(sample, capabilities()), 0U) << "#" << sample.sequence();
}

CONFORMANCE_TEST(Crash, SamplesOfManyDeadPublishersAreKeptApart, "CRASH-3") {
  NEEDS(processes);
  const std::string topic = uri("topic", "depth=8&held=128");
  auto subscriber = peer("sink").subscriber(topic);
  constexpr std::uint64_t publishers = 20;
  const std::uint64_t unread = has(feature::survives_publisher) ? 1 : 0;
  for (std::uint64_t round = 0; round < publishers; ++round) {
    ScriptedPeer& source = peer(fmt::format("source {}", round));
    auto publisher = source.publisher(topic);
    static_cast<void>(subscriber.readable());
    publisher.wait_for_subscribers(1);
    publisher.publish({.count = 4 + unread, .size = stamp_size + 100 * round, .size_most = 5000 * (round + 1)});
    EXPECT_EQ(subscriber.hold(4), 4U) << "in round " << round;
    source.kill();
  }
  EXPECT_EQ(subscriber.take_all(), publishers * unread);
  EXPECT_EQ(subscriber.release(4 * publishers), 4 * publishers);
  EXPECT_SOUND(check_sound(subscriber));
  EXPECT_EQ(publishers_of(subscriber.events()).size(), publishers);
}

CONFORMANCE_TEST(Crash, SamplesAreReleasedInAnyOrderAfterTheirPublisherDied, "CRASH-3") {
  NEEDS(processes);
  const std::string topic = uri("topic", "depth=16");
  Subscriber subscriber = this->subscriber(topic);
  Chance chance;
  for (int round = 0; round < 5; ++round) {
    ScriptedPeer& source = peer(fmt::format("source {}", round));
    auto publisher = source.publisher(topic);
    must(subscriber.wait(at_once), "wait");
    publisher.wait_for_subscribers(1);
    PublishScript script = mixed(capabilities());
    if (!has(feature::survives_publisher)) script.count = 12;
    publisher.publish(script);
    std::vector<Sample> samples;
    for (int taken = 0; taken < 12; ++taken) samples.push_back(must(subscriber.take(), "take"));
    source.kill();
    while (!samples.empty()) {
      const std::uint64_t at = chance.below(samples.size());
      ASSERT_TRUE(samples[at]);
      EXPECT_EQ(faults_of(samples[at], capabilities()), 0U);
      samples.erase(samples.begin() + static_cast<std::ptrdiff_t>(at));
    }
    for (std::uint64_t unread = 12; unread < script.count; ++unread) {
      const Sample sample = must(subscriber.take(), "take");
      ASSERT_TRUE(sample) << "unread samples went with those that were in hand, in round " << round;
      EXPECT_EQ(faults_of(sample, capabilities()), 0U);
    }
    EXPECT_FALSE(must(subscriber.take(), "take"));
  }
}

}  // namespace weir::conformance
