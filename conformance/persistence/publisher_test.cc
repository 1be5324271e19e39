// PERSIST: the publisher that comes back, and what it left meanwhile.
#include <algorithm>
#include <cstdint>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/persistence/return.h"

namespace weir::conformance {

using Persistence = PersistenceTest;

CONFORMANCE_TEST(Persistence, HistoryOutlivesEverybody, "PERSIST-1") {
  NEEDS(processes);
  NEEDS(persistence);
  for (const End end : ends) {
    ScriptedPeer& source = peer(fmt::format("source that {}", to_string(end)));
    auto publisher = source.publisher(keeper("depth=40&history=20"));
    publisher.publish({.count = 50, .size = 0, .size_most = 20'000});
    bring_to_end(source, end);
    ScriptedPeer& late = peer(fmt::format("late, after one that {}", to_string(end)));
    auto subscriber = late.subscriber(uri("topic", "depth=40&history=20"));
    EXPECT_EQ(subscriber.take_all(), 20U) << "after one that " << to_string(end);
    EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 30, 50));
    EXPECT_SOUND(check_sound(subscriber));
    remove_topic();
  }
}

CONFORMANCE_TEST(Persistence, APublisherThatComesBackContinuesAndNoSubscriberSeesAGap, "PERSIST-2", "PERSIST-3") {
  NEEDS(processes);
  NEEDS(persistence);
  NEEDS(lossless);
  const std::string endpoint = keeper("depth=64&history=8&" + lossless_grant(capabilities()));
  ScriptedPeer& sink = peer("sink");
  auto subscriber = sink.subscriber(uri("topic", "policy=lossless&depth=64"));
  std::uint64_t published = 0;
  PeerId id = 0;
  for (int round = 0; round < 12; ++round) {
    ScriptedPeer& source = peer(fmt::format("source {}", round));
    auto publisher = source.publisher(endpoint);
    id = id == 0 ? publisher.id() : id;
    EXPECT_EQ(publisher.id(), id);
    publisher.wait_for_subscribers(1);
    publisher.publish({.count = 30, .size = 0, .size_most = 20'000});
    EXPECT_EQ(publisher.first_event(EventKind::published).sequence, published) << "in round " << round;
    published += 30;
    // Some read before the end, some after it, some when the next is there.
    const std::uint64_t at_once = round % 3 == 0 ? 25 : 0;
    EXPECT_EQ(subscriber.take(at_once), at_once);
    bring_to_end(source, ends.at(static_cast<std::size_t>(round) % ends.size()));
    if (round % 3 != 2) subscriber.take_all();
  }
  subscriber.take_all();
  EXPECT_SOUND(check_sound(subscriber));
  EXPECT_EQ(taken_from(subscriber.events(), id).size(), published);
  EXPECT_SOUND(check_range(subscriber.events(), id, 0, published));
  remove_topic();
}

CONFORMANCE_TEST(Persistence, APublisherThatIsKilledAtAnyMomentLosesNothingThatWasAccepted, "PERSIST-12") {
  NEEDS(processes);
  NEEDS(persistence);
  NEEDS(lossless);
  const std::string endpoint = keeper("depth=16&history=4&" + lossless_grant(capabilities()));
  ScriptedPeer& sink = peer("sink");
  auto subscriber = sink.subscriber(uri("topic", "policy=lossless&depth=16"));
  subscriber.begin_receive({.next = endless});
  Chance chance;
  std::uint64_t accepted = 0;
  std::uint64_t begun = 0;
  PeerId id = 0;
  for (int round = 0; round < 60; ++round) {
    ScriptedPeer& source = peer(fmt::format("source {}", round));
    auto publisher = source.publisher(endpoint);
    id = publisher.id();
    publisher.wait_for_subscribers(1);
    publisher.begin_publish(
        {.count = endless, .size = 0, .size_most = 9000, .when = When::held_back_retry, .quiet = true});
    source.wait_for_publishes(chance.below(40));
    chance.let_pass(std::chrono::microseconds(300));
    source.kill();
    accepted = std::max(accepted, source.progress().accepted);  // 0 of one that did not come to it
    begun = std::max(begun, source.progress().begun);
  }
  // One more tells where the last one ended.
  ScriptedPeer& last = peer("last");
  auto publisher = last.publisher(endpoint);
  publisher.wait_for_subscribers(1);
  publisher.publish();
  const std::uint64_t end = publisher.first_event(EventKind::published).sequence + 1;
  EXPECT_GT(end, accepted);
  EXPECT_LE(end, begun + 1);
  sink.halt();  // at the latest with the next sample
  publisher.publish();
  sink.finish_well();
  subscriber.take_all();
  EXPECT_SOUND(check_sound(subscriber));
  EXPECT_SOUND(check_range(subscriber.events(), id, 0, end + 1));
  EXPECT_EQ(taken_from(subscriber.events(), id).size(), end + 1);
  remove_topic();
}

CONFORMANCE_TEST(Persistence, ANameBelongsToOneLivingPublisher, "PERSIST-7") {
  NEEDS(processes);
  NEEDS(persistence);
  const std::string endpoint = keeper("depth=8");
  ScriptedPeer& first = peer("first");
  ScriptedPeer& second = peer("second");
  auto publisher = first.publisher(endpoint);
  EXPECT_TRUE(second.try_publisher(endpoint).is(ErrorCode::name_taken));
  first.stop();
  EXPECT_TRUE(second.try_publisher(endpoint).is(ErrorCode::name_taken)) << "who is stopped is not dead";
  first.go_on();
  publisher.publish({.count = 3});
  first.kill();
  for (int round = 0; round < 20; ++round) {
    ScriptedPeer& one = peer(fmt::format("one {}", round));
    ScriptedPeer& other = peer(fmt::format("other {}", round));
    const Request opening{.operation = Operation::open_publisher, .port = 9, .text = endpoint};
    one.begin(opening);
    other.begin(opening);
    const Outcome of_one = one.finish();
    const Outcome of_other = other.finish();
    EXPECT_NE(of_one.good, of_other.good) << "in round " << round;
    EXPECT_TRUE(of_one.good || of_one.is(ErrorCode::name_taken)) << of_one.text;
    EXPECT_TRUE(of_other.good || of_other.is(ErrorCode::name_taken)) << of_other.text;
    one.kill();
    other.kill();
  }
  EXPECT_EQ(publisher.id(), second.publisher(endpoint).id());
  remove_topic();
}

CONFORMANCE_TEST(Persistence, OtherOptionsAreRefusedAndLoseNothing, "PERSIST-8") {
  NEEDS(processes);
  NEEDS(persistence);
  ScriptedPeer& source = peer("source");
  source.publisher(keeper("depth=8&history=5")).publish({.count = 7});
  source.kill();
  ScriptedPeer& next = peer("next");
  EXPECT_TRUE(next.try_publisher(keeper("depth=9&history=5")).is(ErrorCode::incompatible));
  EXPECT_TRUE(next.try_publisher(keeper("depth=8&history=2")).is(ErrorCode::incompatible));
  EXPECT_TRUE(next.try_publisher(keeper("depth=8&history=5&grant=reject")).is(ErrorCode::incompatible));
  auto late = next.subscriber(uri("topic", "depth=5&history=5"));
  EXPECT_EQ(late.take_all(), 5U);
  auto publisher = next.publisher(keeper("depth=8&history=5"));
  publisher.publish();
  EXPECT_EQ(publisher.first_event(EventKind::published).sequence, 7U);
  remove_topic();
}

CONFORMANCE_TEST(Persistence, WithoutANameItIsRefused, "PERSIST-9") {
  NEEDS(persistence);
  const auto publisher = node().publisher(uri("topic", "durability=persistent"));
  ASSERT_FALSE(publisher);
  EXPECT_EQ(publisher.error().code(), ErrorCode::invalid_argument) << publisher.error().message();
  const auto subscriber = node().subscriber(uri("topic", "durability=persistent"));
  ASSERT_FALSE(subscriber);
  EXPECT_EQ(subscriber.error().code(), ErrorCode::invalid_argument) << subscriber.error().message();
}

CONFORMANCE_TEST(Persistence, ATopicStaysUntilItIsRemoved, "PERSIST-10") {
  NEEDS(processes);
  NEEDS(persistence);
  const std::string endpoint = keeper("depth=8&history=4");
  ScriptedPeer& source = peer("source");
  source.publisher(endpoint).publish({.count = 9});
  const Status refused = node().remove(uri("topic"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::name_taken) << refused.error().message();
  source.kill();
  for (int round = 0; round < 3; ++round) {
    ScriptedPeer& visitor = peer(fmt::format("visitor {}", round));
    EXPECT_EQ(visitor.subscriber(uri("topic", "depth=4&history=4")).take_all(), 4U);
    bring_to_end(visitor, ends.at(static_cast<std::size_t>(round)));
  }
  remove_topic();
  const Status again = node().remove(uri("topic"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), ErrorCode::not_found) << again.error().message();
  ScriptedPeer& anew = peer("anew");
  auto publisher = anew.publisher(endpoint);
  EXPECT_EQ(anew.subscriber(uri("topic", "depth=4&history=4")).take_all(), 0U);
  publisher.publish();
  EXPECT_EQ(publisher.first_event(EventKind::published).sequence, 0U);
  remove_topic();
}

CONFORMANCE_TEST(Persistence, WhoIsAbsentIsListedSoAndItsReturnIsAnEvent, "PERSIST-11") {
  NEEDS(processes);
  NEEDS(persistence);
  NEEDS(full_membership);
  NEEDS(lists_topics);
  const std::string endpoint = keeper("depth=8");
  ScriptedPeer& watcher = peer("watcher");
  auto watching = watcher.subscriber(uri("topic", "depth=8"));
  watching.next_events();
  for (const End end : ends) {
    ScriptedPeer& source = peer(fmt::format("source that {}", to_string(end)));
    const PeerId id = source.publisher(endpoint).id();
    watching.next_events();
    EXPECT_EQ(watching.last_event(EventKind::joined).peer, id);
    bring_to_end(source, end);
    watching.next_events();
    const EventKind ended = end == End::closes ? EventKind::left : EventKind::died;
    ASSERT_FALSE(watching.events(ended).empty()) << to_string(end);
    EXPECT_EQ(watching.last_event(ended).peer, id);
    const auto topics = node().topics(backend_uri());
    ASSERT_TRUE(topics);
    ASSERT_EQ(topics->size(), 1U);
    for (const Peer& listed : topics->front().peers) {
      EXPECT_EQ(listed.alive, listed.role == Role::subscriber) << to_string(end);
      EXPECT_TRUE(listed.role == Role::subscriber || listed.name == "keeper");
    }
  }
  EXPECT_EQ(watching.events(EventKind::joined).size(), ends.size());
  EXPECT_EQ(watching.events(EventKind::left).size() + watching.events(EventKind::died).size(), ends.size());
  remove_topic();
}

}  // namespace weir::conformance
