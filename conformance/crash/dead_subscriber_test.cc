// CRASH: a dead subscriber costs nobody anything.
#include <array>
#include <cstdint>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/crash/ending.h"
#include "conformance/harness/fixture.h"
#include "conformance/harness/message.h"

namespace weir::conformance {

using Crash = ConformanceTest;

namespace {

// Messages of which 16 in the hands of each of the dead would soon be more than a publisher of this memory has.
constexpr std::uint64_t size = 60'000;
constexpr std::uint64_t depth = 16;
constexpr std::uint64_t loans = 8;
const std::string tight = "depth=16&held=16&loans=8&max_payload=64KiB&memory=4MiB";

}  // namespace

CONFORMANCE_TEST(Crash, WhatTheDeadHeldInHandIsLentAgain, "CRASH-4") {
  NEEDS(processes);
  const std::string topic = uri("topic", tight);
  auto publisher = peer("source").publisher(topic);
  for (int round = 0; round < 12; ++round) {
    ScriptedPeer& victim = peer(fmt::format("victim {}", round));
    auto subscriber = victim.subscriber(topic);
    publisher.wait_for_subscribers(1);
    EXPECT_EQ(publisher.publish({.count = depth, .size = size}), depth) << "in round " << round;
    EXPECT_EQ(subscriber.hold(depth), depth) << "in round " << round;
    bring_to_end(victim, deaths.at(static_cast<std::size_t>(round) % deaths.size()));
  }
  EXPECT_EQ(publisher.publish({.count = 100, .size = size}), 100U);
  const Outcome lent = publisher.try_lend(loans, {.size = size});
  EXPECT_TRUE(lent && lent.value == loans) << to_string(lent);
  EXPECT_TRUE(publisher.try_lend(1, {.size = size}).is(ErrorCode::limit_exceeded));
}

CONFORMANCE_TEST(Crash, WhatTheDeadLeftUnreadIsLentAgain, "CRASH-4") {
  NEEDS(processes);
  const bool lossless = has(feature::lossless);
  const std::string topic = uri("topic", lossless ? tight + "&" + lossless_grant(capabilities()) : tight);
  auto publisher = peer("source").publisher(topic);
  constexpr int more_than_it_has = 6;  // each leaves a MiB
  const int count = chosen_rounds(12, more_than_it_has);
  for (int round = 0; round < count; ++round) {
    ScriptedPeer& victim = peer(fmt::format("victim {}", round));
    victim.subscriber(topic + (lossless && round % 2 == 0 ? "&policy=lossless" : ""));
    publisher.wait_for_subscribers(1);
    EXPECT_EQ(publisher.publish({.count = depth, .size = size}), depth) << "in round " << round;
    victim.kill();
  }
  EXPECT_EQ(publisher.publish({.count = 100, .size = size, .when = When::held_back_retry}), 100U);
  const Outcome lent = publisher.try_lend(loans, {.size = size});
  EXPECT_TRUE(lent && lent.value == loans) << to_string(lent);
}

CONFORMANCE_TEST(Crash, SamplesInTheHandsOfTheLivingStayWhenThoseOfTheDeadAreLentAgain, "CRASH-4", "CRASH-3") {
  NEEDS(processes);
  const std::string topic = uri("topic", tight);
  auto living = peer("living").subscriber(topic);
  auto publisher = peer("source").publisher(topic);
  constexpr std::uint64_t rounds = 7;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    ScriptedPeer& victim = peer(fmt::format("victim {}", round));
    auto subscriber = victim.subscriber(topic);
    publisher.wait_for_subscribers(has(feature::counts_subscribers) ? 2 : 1);
    publisher.publish({.count = depth, .size = size});
    EXPECT_EQ(subscriber.hold(depth), depth);
    EXPECT_EQ(living.hold(2), 2U);  // the same that the victim holds
    victim.kill();
    EXPECT_EQ(publisher.publish({.count = 50, .size = size}), 50U);
    living.take_all();
  }
  EXPECT_EQ(living.release(2 * rounds), 2 * rounds);
  EXPECT_SOUND(check_sound(living));
}

CONFORMANCE_TEST(Crash, SubscribersKilledAtAnyMomentDisturbNeitherPublisherNorOthers, "CRASH-4", "CRASH-5") {
  NEEDS(processes);
  NEEDS(lossless);
  NEEDS(counts_subscribers);
  constexpr std::uint64_t burst = 200;
  const auto rounds = static_cast<std::uint64_t>(chosen_rounds(40));
  const std::string topic = uri("topic", lossless_grant(capabilities()) + "&held=16");
  ScriptedPeer& source = peer("source");
  ScriptedPeer& sink = peer("sink");
  auto publisher = source.publisher(topic);
  auto subscriber = sink.subscriber(topic + "&policy=lossless&depth=16");
  const std::uint64_t least = has(feature::sequence) ? 0 : stamp_size;  // so that each says which it is
  Chance chance;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    ScriptedPeer& victim = peer(fmt::format("victim {}", round));
    auto dying = victim.subscriber(topic + (round % 2 == 0 ? "&policy=lossless&depth=3" : "&depth=3"));
    publisher.wait_for_subscribers(2);
    subscriber.begin_receive({.next = (round + 1) * burst});
    const std::uint64_t before = victim.log().size();
    const WaitMethod waiting = std::array{WaitMethod::wait, WaitMethod::spin, WaitMethod::poll}.at(round % 3);
    dying.begin_receive({.next = endless, .hold = 8, .waiting = waiting});
    publisher.begin_publish({.count = burst, .size = least, .size_most = 20'000, .when = When::held_back_retry});
    victim.wait_until_logged(before + 1 + chance.below(3));  // as many come for certain
    chance.let_pass(std::chrono::milliseconds(1));
    victim.kill();
    EXPECT_EQ(source.finish_well(), burst) << "in round " << round;
    sink.finish_well();
    EXPECT_SOUND(check_order(dying.events()));
    EXPECT_SOUND(check_content(dying.events()));
  }
  EXPECT_SOUND(check_sound(subscriber));
  EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, rounds * burst));
  EXPECT_EQ(taken_from(subscriber.events(), publisher.id()).size(), rounds * burst);
}

}  // namespace weir::conformance
