// PERSIST: the subscriber that comes back.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/persistence/return.h"

namespace weir::conformance {

using Persistence = PersistenceTest;

CONFORMANCE_TEST(Persistence, ASubscriberThatComesBackResumesWhereItStopped, "PERSIST-4") {
  NEEDS(processes);
  NEEDS(persistence);
  NEEDS(lossless);
  const std::string endpoint = reader("policy=lossless&depth=100");
  ScriptedPeer& source = peer("source");
  auto publisher = source.publisher(keeper("depth=200&history=200&" + lossless_grant(capabilities())));
  std::uint64_t next = 0;
  for (int round = 0; round < 12; ++round) {
    ScriptedPeer& sink = peer(fmt::format("sink {}", round));
    auto subscriber = sink.subscriber(endpoint);
    publisher.publish({.count = 10, .size = 0, .size_most = 20'000});
    EXPECT_EQ(subscriber.take(15), round == 0 ? 10U : 15U);
    const auto taken = taken_from(subscriber.events(), publisher.id());
    ASSERT_FALSE(taken.empty()) << "in round " << round;
    EXPECT_EQ(taken.front().sequence, next) << "in round " << round;
    EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), next, next + taken.size()));
    EXPECT_SOUND(check_sound(subscriber));
    next += taken.size();
    bring_to_end(sink, ends.at(static_cast<std::size_t>(round) % ends.size()));
    publisher.publish({.count = 7, .size = 0, .size_most = 20'000});  // nobody is there
  }
  remove_topic();
}

CONFORMANCE_TEST(Persistence, WhatWentWhileASubscriberWasAbsentIsAnnounced, "PERSIST-5", "PERSIST-6") {
  NEEDS(processes);
  NEEDS(persistence);
  NEEDS(lossless);
  const std::string endpoint = reader("policy=lossless&depth=4");
  ScriptedPeer& source = peer("source");
  auto publisher = source.publisher(keeper("depth=8&history=4&" + lossless_grant(capabilities())));
  std::uint64_t published = 0;
  std::uint64_t next = 0;
  for (int round = 0; round < 8; ++round) {
    ScriptedPeer& sink = peer(fmt::format("sink {}", round));
    auto subscriber = sink.subscriber(endpoint);
    publisher.wait_for_subscribers(1);
    if (round == 0) {
      published += publisher.publish({.count = 2});
    }
    subscriber.take_all();
    EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), next, published));
    EXPECT_GE(taken_from(subscriber.events(), publisher.id()).size(), round == 0 ? 2U : 4U) << "its history";
    next = published;
    bring_to_end(sink, ends.at(static_cast<std::size_t>(round) % ends.size()));
    published += publisher.publish({.count = 100, .size = 0, .size_most = 20'000});  // never held back
  }
  remove_topic();
}

CONFORMANCE_TEST(Persistence, ASubscribersNameBelongsToOneLivingProcess, "PERSIST-7", "PERSIST-8") {
  NEEDS(processes);
  NEEDS(persistence);
  ScriptedPeer& first = peer("first");
  ScriptedPeer& second = peer("second");
  first.subscriber(reader("depth=4"));
  EXPECT_TRUE(second.try_subscriber(reader("depth=4")).is(ErrorCode::name_taken));
  first.stop();
  EXPECT_TRUE(second.try_subscriber(reader("depth=4")).is(ErrorCode::name_taken)) << "who is stopped is not dead";
  first.go_on();
  first.kill();
  EXPECT_TRUE(second.try_subscriber(reader("depth=5")).is(ErrorCode::incompatible));
  EXPECT_TRUE(second.try_subscriber(reader("depth=4")));
  remove_topic();
}

CONFORMANCE_TEST(Persistence, ASubscriberThatIsKilledAtAnyMomentReceivesNothingTwice, "PERSIST-13") {
  NEEDS(processes);
  NEEDS(persistence);
  NEEDS(lossless);
  const std::string endpoint = reader("policy=lossless&depth=64");
  ScriptedPeer& source = peer("source");
  auto publisher = source.publisher(keeper("depth=64&history=64&" + lossless_grant(capabilities())));
  publisher.begin_publish(
      {.count = endless, .size = 0, .size_most = 3000, .when = When::held_back_retry, .quiet = true});
  Chance chance;
  std::optional<std::uint64_t> next;  // once it has received something
  for (int round = 0; round < 40; ++round) {
    ScriptedPeer& sink = peer(fmt::format("sink {}", round));
    auto subscriber = sink.subscriber(endpoint);
    subscriber.begin_receive({.next = endless, .hold = chance.below(5)});
    sink.wait_for_events(1 + chance.below(60));
    chance.let_pass(std::chrono::microseconds(200));
    sink.kill();
    const auto taken = taken_from(subscriber.events(), publisher.id());
    EXPECT_SOUND(check_sound(subscriber));
    if (taken.empty()) continue;
    const Event& first = taken.front();
    // The one that it was about to log when it was killed may be missing without an announcement.
    const std::uint64_t from = first.sequence - first.lost_before;
    EXPECT_GE(from, next.value_or(from)) << "again, in round " << round;
    EXPECT_LE(from, next.value_or(from) + 1) << "missing, in round " << round;
    next = taken.back().sequence + 1;
  }
  source.halt();
  source.finish_well();
  remove_topic();
}

CONFORMANCE_TEST(Persistence, ASubscriberThatComesBackIsToldWhatWasInHand, "PERSIST-14") {
  NEEDS(processes);
  NEEDS(persistence);
  NEEDS(lossless);
  NEEDS(in_hand_list);
  const std::string endpoint = reader("policy=lossless&depth=100&held=8");
  ScriptedPeer& source = peer("source");
  auto publisher = source.publisher(keeper("depth=200&history=200&" + lossless_grant(capabilities())));
  std::uint64_t next = 0;
  for (std::size_t round = 0; round < 2 * ends.size(); ++round) {
    const End end = ends.at(round % ends.size());
    SCOPED_TRACE(to_string(end));
    ScriptedPeer& sink = peer(fmt::format("sink {}", round));
    auto subscriber = sink.subscriber(endpoint);
    publisher.publish({.count = 10, .size = 0, .size_most = 20'000});
    EXPECT_EQ(subscriber.take(2), 2U);
    EXPECT_EQ(subscriber.hold(3), 3U);
    EXPECT_EQ(subscriber.take(1), 1U);
    std::vector<InHand> expected;
    for (std::uint64_t sequence = next + 2; end != End::closes && sequence < next + 5; ++sequence) {
      expected.push_back({.publisher = publisher.id(), .sequence = sequence});
    }
    bring_to_end(sink, end);
    Result<Subscriber> successor = node().subscriber(endpoint);
    ASSERT_TRUE(successor) << successor.error().message();
    const Result<std::vector<InHand>> told = successor->in_hand_at_death();
    ASSERT_TRUE(told) << told.error().message();
    EXPECT_EQ(*told, expected);
    for (std::uint64_t sequence = next + 6; sequence < next + 10; ++sequence) {
      const Result<Sample> sample = successor->take();
      ASSERT_TRUE(sample && *sample);
      EXPECT_EQ(sample->sequence(), sequence);
    }
    next += 10;
  }
  remove_topic();
}

}  // namespace weir::conformance
