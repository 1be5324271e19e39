// MEMBER: wait_for_subscribers counts the living, and says what is missing.
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/crash/ending.h"
#include "conformance/harness/asleep.h"
#include "conformance/harness/fixture.h"

namespace weir::conformance {

using Membership = ConformanceTest;
using namespace std::chrono_literals;

namespace {

// Refused for want of subscribers, naming topic, those there are and those that were asked for.
void expect_missing(const Outcome& outcome, std::uint64_t have, std::uint64_t want) {
  EXPECT_TRUE(outcome.is(ErrorCode::timed_out)) << to_string(outcome);
  for (const std::string& part : {std::string("topic"), std::to_string(have), std::to_string(want)}) {
    EXPECT_NE(outcome.text.find(part), std::string::npos) << '"' << part << "\" is not in: " << outcome.text;
  }
}

}  // namespace

CONFORMANCE_TEST(Membership, WaitForSubscribersCountsThem, "MEMBER-6", "MEMBER-7") {
  NEEDS(counts_subscribers);
  const std::string topic = uri("topic");
  auto publisher = peer("source").publisher(topic);
  ScriptedPeer& sinks = peer("sinks");
  EXPECT_TRUE(publisher.try_wait_for_subscribers(0, 0ns));
  std::vector<RemoteSubscriber> subscribers;
  for (std::uint64_t count = 0; count < 4; ++count) {
    for (const Patience patience : {Patience(0ns), Patience(15ms)}) {
      expect_missing(publisher.try_wait_for_subscribers(count + 37, patience), count, count + 37);
    }
    subscribers.push_back(sinks.subscriber(topic));
    EXPECT_TRUE(publisher.try_wait_for_subscribers(count + 1, 0ns)) << "all have joined already";
    EXPECT_TRUE(publisher.try_wait_for_subscribers(count, Patience::unbounded())) << "more are as good";
  }
  for (std::uint64_t left = 4; left > 0; --left) {
    subscribers[left - 1].close();
    expect_missing(publisher.try_wait_for_subscribers(left, 0ns), left - 1, left);
    EXPECT_TRUE(publisher.try_wait_for_subscribers(left - 1, 0ns));
  }
}

CONFORMANCE_TEST(Membership, WaitForSubscribersDoesNotCountTheDead, "MEMBER-6") {
  NEEDS(processes);
  NEEDS(counts_subscribers);
  const std::string topic = uri("topic");
  auto publisher = peer("source").publisher(topic);
  ScriptedPeer& sink = peer("sink");
  sink.subscriber(topic);
  for (const End end : ends) {
    ScriptedPeer& victim = peer(fmt::format("victim that {}", to_string(end)));
    victim.subscriber(topic);
    victim.subscriber(topic);
    EXPECT_TRUE(publisher.try_wait_for_subscribers(3, 0ns));
    bring_to_end(victim, end);
    expect_missing(publisher.try_wait_for_subscribers(3, 0ns), 1, 3);
    expect_missing(publisher.try_wait_for_subscribers(2, 15ms), 1, 2);
    EXPECT_TRUE(publisher.try_wait_for_subscribers(1, 0ns));
  }
}

CONFORMANCE_TEST(Membership, AWaitForSubscribersEndsWhenTheLastOneMissingJoins, "MEMBER-6", "MEMBER-8") {
  NEEDS(counts_subscribers);
  ScriptedPeer& source = peer("source");
  ScriptedPeer& sinks = peer("sinks");
  for (int round = 0; round < 20; ++round) {
    const std::string topic = fresh_uri();
    auto publisher = source.publisher(topic);
    std::vector<RemoteSubscriber> subscribers{sinks.subscriber(topic)};
    source.begin({.operation = Operation::wait_for_subscribers,
                  .port = publisher.number(),
                  .count = 3,
                  .patience = Patience::unbounded()});
    source.wait_until_blocked();
    subscribers.push_back(sinks.subscriber(topic));
    subscribers.push_back(sinks.subscriber(topic));
    source.finish_well();
    publisher.publish({.count = 2});
    for (const RemoteSubscriber& subscriber : subscribers) {
      EXPECT_EQ(subscriber.take_all(), 2U);
      subscriber.close();
    }
    publisher.close();
  }
}

CONFORMANCE_TEST(Membership, AWaitForSubscribersIsNotEndedByOnesThatDieMeanwhile, "MEMBER-6", "MEMBER-8") {
  NEEDS(processes);
  NEEDS(counts_subscribers);
  const std::string topic = uri("topic");
  ScriptedPeer& source = peer("source");
  ScriptedPeer& sinks = peer("sinks");
  auto publisher = source.publisher(topic);
  ScriptedPeer& victim = peer("victim");
  victim.subscriber(topic);
  victim.subscriber(topic);
  source.begin({.operation = Operation::wait_for_subscribers,
                .port = publisher.number(),
                .count = 3,
                .patience = Patience::unbounded()});
  source.wait_until_blocked();
  victim.kill();
  std::vector<RemoteSubscriber> subscribers{sinks.subscriber(topic), sinks.subscriber(topic)};
  source.wait_until_blocked();
  subscribers.push_back(sinks.subscriber(topic));
  source.finish_well();
  publisher.publish({.count = 4});
  for (const RemoteSubscriber& subscriber : subscribers) EXPECT_EQ(subscriber.take_all(), 4U);
}

CONFORMANCE_TEST(Membership, AWaitForSubscribersIsInterrupted, "MEMBER-7") {
  NEEDS(counts_subscribers);
  const std::string topic = uri("topic");
  Publisher publisher = this->publisher(topic);
  std::stop_source before;
  before.request_stop();
  const Status stopped = publisher.wait_for_subscribers(1, never, before.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code(), ErrorCode::interrupted);
  const pid_t this_thread = gettid();
  for (int round = 0; round < 20; ++round) {
    std::stop_source source;
    const std::jthread stopper([&] {
      // Half of them while it sleeps, half of them at any moment.
      if (round % 2 == 0) wait_until_asleep(getpid(), this_thread);
      source.request_stop();
    });
    const Status interrupted = publisher.wait_for_subscribers(1, never, source.get_token());
    ASSERT_FALSE(interrupted);
    EXPECT_EQ(interrupted.error().code(), ErrorCode::interrupted);
    EXPECT_NE(interrupted.error().message().find("topic"), std::string::npos) << interrupted.error().message();
  }
  // A token that was triggered is no reason to deny what is there.
  peer("sink").subscriber(topic);
  EXPECT_TRUE(publisher.wait_for_subscribers(1, never));
}

}  // namespace weir::conformance
