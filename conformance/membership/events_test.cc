// MEMBER: who joins, leaves and dies is told to the other side, once each and in order.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/crash/ending.h"
#include "conformance/harness/fixture.h"
#include "conformance/membership/observe.h"

namespace weir::conformance {

using Membership = ConformanceTest;
using Texts = std::vector<std::string>;

namespace {

std::set<PeerId> ids_of(const std::vector<MembershipEvent>& events) {
  std::set<PeerId> ids;
  for (const MembershipEvent& event : events) ids.insert(event.peer.id);
  return ids;
}

}  // namespace

CONFORMANCE_TEST(Membership, APublisherIsToldOfEachSubscriberThatJoinsAndLeaves, "MEMBER-1", "MEMBER-2") {
  NEEDS(full_membership);
  const std::string topic = uri("topic");
  Publisher watching = this->publisher(topic);
  EXPECT_EQ(to_strings(events_of(watching)), Texts{});
  ScriptedPeer& other = peer("other");
  for (const char* name : {"", "plain", "a%20b%2Fc%C3%A9"}) {
    const std::string plain = name == std::string("a%20b%2Fc%C3%A9") ? "a b/c\xC3\xA9" : name;
    auto subscriber = other.subscriber(uri("topic", fmt::format("name={}", name)));
    EXPECT_EQ(to_strings(events_of(watching)),
              Texts{to_string(Change::joined, Role::subscriber, subscriber.id(), plain)});
    EXPECT_EQ(to_strings(events_of(watching)), Texts{});
    subscriber.close();
    EXPECT_EQ(to_strings(events_of(watching)),
              Texts{to_string(Change::left, Role::subscriber, subscriber.id(), plain)});
    EXPECT_EQ(to_strings(events_of(watching)), Texts{});
  }
}

CONFORMANCE_TEST(Membership, ASubscriberIsToldOfEachPublisherThatJoinsAndLeaves, "MEMBER-1", "MEMBER-2") {
  NEEDS(full_membership);
  const std::string topic = uri("topic");
  Subscriber watching = this->subscriber(topic);
  EXPECT_EQ(to_strings(events_of(watching)), Texts{});
  ScriptedPeer& other = peer("other");
  for (int round = 0; round < 3; ++round) {
    const std::string name = fmt::format("source{}", round);
    auto publisher = other.publisher(uri("topic", "name=" + name));
    EXPECT_EQ(to_strings(events_of(watching)), Texts{to_string(Change::joined, Role::publisher, publisher.id(), name)});
    publisher.wait_for_subscribers(1);
    publisher.publish({.count = 3});
    EXPECT_EQ(to_strings(events_of(watching)), Texts{});
    publisher.close();
    // That it left is told though what it sent was not read yet.
    EXPECT_EQ(to_strings(events_of(watching)), Texts{to_string(Change::left, Role::publisher, publisher.id(), name)});
    for (int taken = 0; taken < 3; ++taken) EXPECT_TRUE(must(watching.take(), "take")) << "in round " << round;
    EXPECT_EQ(to_strings(events_of(watching)), Texts{});
  }
}

CONFORMANCE_TEST(Membership, ADeathIsToldOnBothSides, "MEMBER-3") {
  NEEDS(processes);
  NEEDS(full_membership);
  NEEDS(death_events);
  const std::string topic = uri("topic");
  Publisher watching_out = this->publisher(topic);
  Subscriber watching_in = this->subscriber(topic);
  static_cast<void>(events_of(watching_out));
  static_cast<void>(events_of(watching_in));
  for (const End death : deaths) {
    ScriptedPeer& victim = peer(fmt::format("victim that {}", to_string(death)));
    const PeerId publisher = victim.publisher(uri("topic", "name=out")).id();
    const PeerId subscriber = victim.subscriber(uri("topic", "name=in")).id();
    EXPECT_EQ(to_strings(events_of(watching_in)), Texts{to_string(Change::joined, Role::publisher, publisher, "out")});
    EXPECT_EQ(to_strings(events_of(watching_out)),
              Texts{to_string(Change::joined, Role::subscriber, subscriber, "in")});
    bring_to_end(victim, death);
    EXPECT_EQ(to_strings(events_of(watching_in)), Texts{to_string(Change::died, Role::publisher, publisher, "out")})
        << to_string(death);
    EXPECT_EQ(to_strings(events_of(watching_out)), Texts{to_string(Change::died, Role::subscriber, subscriber, "in")})
        << to_string(death);
    EXPECT_EQ(to_strings(events_of(watching_in)), Texts{});
    EXPECT_EQ(to_strings(events_of(watching_out)), Texts{});
  }
}

CONFORMANCE_TEST(Membership, OneThatLeftAndDiedAfterwardsHasOnlyLeft, "MEMBER-3") {
  NEEDS(processes);
  NEEDS(full_membership);
  const std::string topic = uri("topic");
  Publisher watching_out = this->publisher(topic);
  Subscriber watching_in = this->subscriber(topic);
  ScriptedPeer& victim = peer("victim");
  auto subscriber = victim.subscriber(topic);
  auto publisher = victim.publisher(topic);
  publisher.wait_for_subscribers(2);
  publisher.publish({.count = 3});
  EXPECT_EQ(subscriber.hold(2), 2U);
  static_cast<void>(events_of(watching_out));
  static_cast<void>(events_of(watching_in));
  publisher.close();
  subscriber.close_but_keep();  // its samples are still in hand
  const Texts left_in{to_string(Change::left, Role::publisher, publisher.id(), "")};
  const Texts left_out{to_string(Change::left, Role::subscriber, subscriber.id(), "")};
  EXPECT_EQ(to_strings(events_of(watching_in)), left_in);
  EXPECT_EQ(to_strings(events_of(watching_out)), left_out);
  victim.kill();
  EXPECT_EQ(to_strings(events_of(watching_in)), Texts{});
  EXPECT_EQ(to_strings(events_of(watching_out)), Texts{});
}

CONFORMANCE_TEST(Membership, TheFirstLookTellsOfThosePresent, "MEMBER-4") {
  NEEDS(full_membership);
  const std::string topic = uri("topic");
  Publisher watching = this->publisher(topic);
  ScriptedPeer& other = peer("other");
  auto first = other.subscriber(uri("topic", "name=first"));
  auto gone = other.subscriber(uri("topic", "name=gone"));
  auto second = other.subscriber(uri("topic", "name=second"));
  gone.close();
  if (has(feature::processes)) {
    ScriptedPeer& victim = peer("victim");
    victim.subscriber(uri("topic", "name=dead"));
    victim.kill();
  }
  Texts expected{to_string(Change::joined, Role::subscriber, first.id(), "first"),
                 to_string(Change::joined, Role::subscriber, second.id(), "second")};
  Texts told = to_strings(events_of(watching));
  std::sort(expected.begin(), expected.end());  // between peers there is no order
  std::sort(told.begin(), told.end());
  EXPECT_EQ(told, expected);
}

CONFORMANCE_TEST(Membership, APeerIsToldOfTheOtherRoleAlone, "MEMBER-5") {
  NEEDS(full_membership);
  const std::string topic = uri("topic");
  // All in one process, which is told of its own handles like of any other.
  Publisher publisher = this->publisher(topic);
  Publisher other_publisher = this->publisher(topic);
  Subscriber subscriber = this->subscriber(topic);
  Subscriber other_subscriber = this->subscriber(topic);
  const std::set<PeerId> publishers{publisher.id(), other_publisher.id()};
  const std::set<PeerId> subscribers{subscriber.id(), other_subscriber.id()};
  EXPECT_EQ(ids_of(events_of(publisher)), subscribers);
  EXPECT_EQ(ids_of(events_of(other_publisher)), subscribers);
  EXPECT_EQ(ids_of(events_of(subscriber)), publishers);
  EXPECT_EQ(ids_of(events_of(other_subscriber)), publishers);
}

}  // namespace weir::conformance
