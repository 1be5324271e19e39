// CLEAN: what is in hand keeps its memory while it is in hand, and nothing afterwards.
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/harness/fixture.h"
#include "conformance/harness/message.h"

namespace weir::conformance {

using Cleanup = ConformanceTest;

namespace {

constexpr std::array<std::size_t, 6> sizes{0, 1, 100, 5000, 70'000, 1'000'000};

bool is_unchanged(const Sample& sample, std::uint64_t number, PeerId publisher) {
  return read_message(sample.payload(), sample.header(), {publisher, number}).faults == 0;
}

void publish_all(Publisher& publisher, PeerId id) {
  for (std::uint64_t number = 0; number < sizes.size(); ++number) {
    Loan loan = must(publisher.loan(sizes.at(number)), "loan");
    write_message(loan.payload(), loan.header(), {id, number});
    must(loan.publish(), "publish");
  }
}

std::vector<Sample> take_all(Subscriber& subscriber) {
  std::vector<Sample> samples;
  while (Sample sample = must(subscriber.take(), "take")) samples.push_back(std::move(sample));
  return samples;
}

// What its messages state as their publisher where the backend knows no ids.
PeerId id_of(const Publisher& publisher) { return publisher.id() != 0 ? publisher.id() : 1; }

}  // namespace

CONFORMANCE_TEST(Cleanup, SamplesInHandOutliveAllHandlesAndKeepNothingOnceReleased, "CLEAN-5", "CLEAN-1") {
  const std::string topic = uri("topic", "depth=16");
  auto own_node = std::make_unique<Node>(must(Node::open(), "opening a node"));
  auto subscriber = std::make_unique<Subscriber>(must(own_node->subscriber(topic), "opening a subscriber"));
  auto publisher = std::make_unique<Publisher>(must(own_node->publisher(topic), "opening a publisher"));
  const PeerId id = id_of(*publisher);
  ASSERT_TRUE(publisher->wait_for_subscribers(1, never));
  publish_all(*publisher, id);
  std::vector<Sample> samples = take_all(*subscriber);
  ASSERT_EQ(samples.size(), sizes.size());
  publisher.reset();
  subscriber.reset();
  own_node.reset();
  for (int round = 0; round < 3; ++round) {
    static_cast<void>(entries_after_visit());
    auto stranger = this->publisher(topic);
    publish_all(stranger, id_of(stranger));
    for (std::uint64_t number = 0; number < samples.size(); ++number) {
      EXPECT_TRUE(is_unchanged(samples[number], number, id)) << "#" << number << " in round " << round;
    }
  }
  while (!samples.empty()) samples.pop_back();
  EXPECT_EQ(entries_after_visit(), entries_of_nobody());
}

CONFORMANCE_TEST(Cleanup, SamplesReleasedOnOtherThreadsKeepNothing, "CLEAN-5", "CLEAN-1") {
  for (int round = 0; round < 20; ++round) {
    const std::string topic = fresh_uri("depth=16");
    auto subscriber = std::make_unique<Subscriber>(this->subscriber(topic));
    auto publisher = std::make_unique<Publisher>(this->publisher(topic));
    ASSERT_TRUE(publisher->wait_for_subscribers(1, never));
    publish_all(*publisher, id_of(*publisher));
    std::vector<Sample> samples = take_all(*subscriber);
    ASSERT_EQ(samples.size(), sizes.size());
    publisher.reset();
    {
      std::vector<std::jthread> threads;
      for (Sample& sample : samples) threads.emplace_back([sample = std::move(sample)]() mutable { sample.release(); });
      subscriber.reset();  // at the same time
    }
    EXPECT_EQ(entries_after_visit(), entries_of_nobody()) << "in round " << round;
  }
}

CONFORMANCE_TEST(Cleanup, UnreadSamplesOfTheGoneKeepNothingOnceTheirSubscriberIsGone, "CLEAN-5", "CLEAN-1") {
  const std::string topic = uri("topic", "depth=16");
  ScriptedPeer& sink = peer("sink");
  ScriptedPeer& source = peer("source");
  for (int round = 0; round < 10; ++round) {
    auto subscriber = sink.subscriber(topic);
    auto publisher = source.publisher(topic);
    publisher.wait_for_subscribers(1);
    publisher.publish({.count = 16, .size = 0, .size_most = 200'000});
    EXPECT_EQ(subscriber.hold(3), 3U);
    publisher.close();
    EXPECT_EQ(subscriber.hold(3), 3U);
    EXPECT_EQ(subscriber.release(4), 4U);
    subscriber.close();  // with some in hand and some unread
    EXPECT_SOUND(check_sound(subscriber));
    EXPECT_EQ(entries_after_visit(), entries_of_nobody()) << "in round " << round;
  }
}

}  // namespace weir::conformance
