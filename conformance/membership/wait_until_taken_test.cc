// MEMBER: wait_until_taken waits for those who can still take a sample, and for nobody else.
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/crash/ending.h"
#include "conformance/harness/asleep.h"
#include "conformance/harness/fixture.h"

namespace weir::conformance {

using Membership = ConformanceTest;
using namespace std::chrono_literals;

CONFORMANCE_TEST(Membership, WaitUntilTakenEndsWhenTheLastSubscriberHasTakenIt, "MEMBER-11") {
  NEEDS(acknowledgement);
  ScriptedPeer& source = peer("source");
  ScriptedPeer& sinks = peer("sinks");
  for (const SlowPolicy policy : {SlowPolicy::drop_oldest, SlowPolicy::lossless}) {
    if (policy == SlowPolicy::lossless && !has(feature::lossless)) continue;
    const std::string topic =
        fresh_uri(policy == SlowPolicy::lossless ? "policy=lossless&" + lossless_grant(capabilities()) : "");
    auto publisher = source.publisher(topic);
    const auto first = sinks.subscriber(topic);
    const auto last = sinks.subscriber(topic);
    publisher.publish({.count = 5});
    first.take_all();
    EXPECT_TRUE(publisher.try_wait_until_taken(0, 0ns).is(ErrorCode::timed_out));
    last.take(1);
    EXPECT_TRUE(publisher.try_wait_until_taken(0, 0ns)) << "both have taken it";
    EXPECT_TRUE(publisher.try_wait_until_taken(1, 0ns).is(ErrorCode::timed_out));
    for (std::uint64_t sequence = 1; sequence < 4; ++sequence) {
      publisher.begin_wait_until_taken(sequence);
      source.wait_until_blocked();
      last.take(1);
      source.finish_well();
      EXPECT_TRUE(publisher.try_wait_until_taken(sequence + 1, 0ns).is(ErrorCode::timed_out));
    }
    last.hold(1);  // in hand is taken
    EXPECT_TRUE(publisher.try_wait_until_taken(4, Patience::unbounded()));
    first.close();
    last.close();
    publisher.close();
  }
}

CONFORMANCE_TEST(Membership, WaitUntilTakenDoesNotWaitForThoseWhoLeaveOrDie, "MEMBER-11") {
  NEEDS(acknowledgement);
  const std::string topic = uri("topic");
  ScriptedPeer& source = peer("source");
  auto publisher = source.publisher(topic);
  std::uint64_t sequence = 0;
  for (const End end : ends) {
    if (end != End::closes && !has(feature::processes)) continue;
    ScriptedPeer& victim = peer(fmt::format("victim that {}", to_string(end)));
    victim.subscriber(topic);
    publisher.publish();
    EXPECT_TRUE(publisher.try_wait_until_taken(sequence, 0ns).is(ErrorCode::timed_out));
    publisher.begin_wait_until_taken(sequence++);
    source.wait_until_blocked();
    bring_to_end(victim, end);
    source.finish_well();
  }
}

CONFORMANCE_TEST(Membership, WaitUntilTakenDoesNotWaitForWhatIsLostOrNotOwed, "MEMBER-11") {
  NEEDS(acknowledgement);
  const std::string topic = uri("topic");
  auto publisher = peer("source").publisher(topic);
  ScriptedPeer& sinks = peer("sinks");
  publisher.publish();
  EXPECT_TRUE(publisher.try_wait_until_taken(0, 0ns)) << "nobody is there";
  const auto late = sinks.subscriber(topic + (topic.find('?') == std::string::npos ? "?" : "&") + "depth=2");
  EXPECT_TRUE(publisher.try_wait_until_taken(0, 0ns)) << "it joined afterwards";
  publisher.publish({.count = 5});
  if (has(feature::drop_oldest) && has(feature::exact_depth)) {
    EXPECT_TRUE(publisher.try_wait_until_taken(3, 0ns)) << "it has lost them, by its depth";
    EXPECT_TRUE(publisher.try_wait_until_taken(4, 0ns).is(ErrorCode::timed_out));
  }
  late.take_all();
  EXPECT_TRUE(publisher.try_wait_until_taken(5, Patience::unbounded()));
}

CONFORMANCE_TEST(Membership, WaitUntilTakenEndsAtItsDeadlineAndByItsStopToken, "MEMBER-12") {
  NEEDS(acknowledgement);
  Publisher publisher = this->publisher(uri("topic"));
  peer("sink").subscriber(uri("topic"));
  const auto refused = publisher.wait_until_taken(0, never);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::invalid_argument) << refused.error().message();
  ASSERT_TRUE(publisher.send({}));
  for (const auto patience : {0ms, 15ms}) {
    const auto begin = std::chrono::steady_clock::now();
    const Status late = publisher.wait_until_taken(0, begin + patience);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code(), ErrorCode::timed_out);
    EXPECT_NE(late.error().message().find("topic"), std::string::npos) << late.error().message();
    EXPECT_GE(std::chrono::steady_clock::now() - begin, patience);
  }
  const pid_t this_thread = gettid();
  for (int round = 0; round < 20; ++round) {
    std::stop_source source;
    const std::jthread stopper([&] {
      // Half of them while it sleeps, half of them at any moment.
      if (round % 2 == 0) wait_until_asleep(getpid(), this_thread);
      source.request_stop();
    });
    const Status interrupted = publisher.wait_until_taken(0, never, source.get_token());
    ASSERT_FALSE(interrupted);
    EXPECT_EQ(interrupted.error().code(), ErrorCode::interrupted);
  }
}

}  // namespace weir::conformance
