// CRASH: a process that dies is dead in every role and on every topic that it had.
#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/crash/ending.h"
#include "conformance/harness/fixture.h"

namespace weir::conformance {

using Crash = ConformanceTest;

CONFORMANCE_TEST(Crash, AProcessWithBothRolesIsDeadInBoth, "CRASH-16") {
  NEEDS(processes);
  NEEDS(lossless_block);
  NEEDS(survives_publisher);
  NEEDS(counts_subscribers);
  const std::string topic = uri("topic", "policy=lossless&grant=block&depth=4");
  ScriptedPeer& source = peer("source");
  auto subscriber = peer("sink").subscriber(topic);
  auto publisher = source.publisher(topic);
  for (const End death : deaths) {
    ScriptedPeer& victim = peer(fmt::format("victim that {}", to_string(death)));
    victim.subscriber(topic);
    auto dying = victim.publisher(topic);
    publisher.wait_for_subscribers(2);
    dying.wait_for_subscribers(2);  // it is a subscriber of its own
    EXPECT_EQ(dying.publish({.count = 4}), 4U);
    publisher.begin_publish({.count = 5, .patience = Patience::unbounded()});
    source.wait_until_blocked();
    const std::uint64_t before = taken_from(subscriber.events(), publisher.id()).size();
    while (taken_from(subscriber.events(), publisher.id()).size() < before + 4) subscriber.take_all();
    // Now only the victim holds it back.
    bring_to_end(victim, death);
    EXPECT_EQ(source.finish_well(), 5U);
    subscriber.take_all();
    EXPECT_SOUND(check_range(subscriber.events(), dying.id(), 0, 4));
    EXPECT_SOUND(check_accepted(subscriber.events(), dying.events(), 0));
  }
  EXPECT_SOUND(check_sound(subscriber));
  EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, 5 * deaths.size()));
}

CONFORMANCE_TEST(Crash, AProcessWithManyTopicsIsDeadInEach, "CRASH-16") {
  NEEDS(processes);
  NEEDS(lossless_reject);
  NEEDS(survives_publisher);
  constexpr std::uint64_t topics = 8;
  ScriptedPeer& victim = peer("victim");
  ScriptedPeer& source = peer("source");
  ScriptedPeer& sink = peer("sink");
  std::vector<RemotePublisher> publishers;
  std::vector<RemoteSubscriber> subscribers;
  std::vector<RemotePublisher> dying;
  for (std::uint64_t at = 0; at < topics; ++at) {
    const std::string in = uri(fmt::format("in{}", at), "policy=lossless&grant=reject&depth=3");
    const std::string out = uri(fmt::format("out{}", at), "depth=16");
    victim.subscriber(in);
    publishers.push_back(source.publisher(in));
    publishers.back().wait_for_subscribers(1);
    publishers.back().publish({.count = 100'000, .when = When::held_back_end});
    subscribers.push_back(sink.subscriber(out));
    dying.push_back(victim.publisher(out));
    dying.back().wait_for_subscribers(1);
    dying.back().publish({.count = at + 1, .size = 100 * at});
  }
  victim.kill();
  for (std::uint64_t at = 0; at < topics; ++at) {
    EXPECT_EQ(publishers[at].publish({.count = 20}), 20U) << "topic " << at;
    EXPECT_EQ(subscribers[at].take_all(), at + 1) << "topic " << at;
    EXPECT_SOUND(check_sound(subscribers[at]));
    EXPECT_SOUND(check_accepted(subscribers[at].events(), dying[at].events(), 0));
    EXPECT_SOUND(check_numbers(publishers[at].events()));
  }
}

}  // namespace weir::conformance
