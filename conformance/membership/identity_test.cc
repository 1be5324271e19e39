// MEMBER: who is who.
#include <unistd.h>

#include <chrono>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "conformance/harness/fixture.h"

namespace weir::conformance {

using Membership = ConformanceTest;

CONFORMANCE_TEST(Membership, IdsAreUniqueAndNeverZero, "MEMBER-20") {
  NEEDS(full_membership);
  const std::string topic = uri("topic");
  ScriptedPeer& one = peer("one");
  ScriptedPeer& other = peer("other");
  std::set<PeerId> ids{0};
  for (int round = 0; round < 10; ++round) {
    for (ScriptedPeer* peer : {&one, &other}) {
      auto publisher = peer->publisher(topic);
      auto subscriber = peer->subscriber(topic);
      EXPECT_TRUE(ids.insert(publisher.id()).second) << publisher.id();
      EXPECT_TRUE(ids.insert(subscriber.id()).second) << subscriber.id();
      if (round % 2 == 0) publisher.close();
    }
  }
}

CONFORMANCE_TEST(Membership, PeersAreDescribedTruthfully, "MEMBER-5") {
  NEEDS(full_membership);
  const std::string topic = uri("topic");
  Publisher publisher = this->publisher(topic);
  Subscriber subscriber = this->subscriber(topic, {.name = "näme with spaces"});
  const auto peers = must(publisher.peers(), "peers");
  ASSERT_EQ(peers.size(), 1U);
  EXPECT_EQ(peers.front().role, Role::subscriber);
  EXPECT_EQ(peers.front().id, subscriber.id());
  EXPECT_EQ(peers.front().name, "näme with spaces");
  EXPECT_TRUE(peers.front().alive);
  EXPECT_TRUE(peers.front().pid == getpid() || peers.front().pid == 0) << peers.front().pid;
}

CONFORMANCE_TEST(Membership, PublishersAreNotCountedAsSubscribers, "MEMBER-6") {
  NEEDS(counts_subscribers);
  const std::string topic = uri("topic");
  ScriptedPeer& source = peer("source");
  auto publisher = source.publisher(topic);
  source.publisher(topic);
  peer("sink").subscriber(uri("other"));
  EXPECT_TRUE(publisher.try_wait_for_subscribers(1, std::chrono::nanoseconds(0)).is(ErrorCode::timed_out));
}

CONFORMANCE_TEST(Membership, SubscribersThatLeftAreNotCounted, "MEMBER-6") {
  NEEDS(counts_subscribers);
  const std::string topic = uri("topic");
  ScriptedPeer& sink = peer("sink");
  auto publisher = peer("source").publisher(topic);
  auto first = sink.subscriber(topic);
  sink.subscriber(topic);
  EXPECT_TRUE(publisher.try_wait_for_subscribers(2, Patience::unbounded()));
  first.close();
  EXPECT_TRUE(publisher.try_wait_for_subscribers(2, std::chrono::nanoseconds(0)).is(ErrorCode::timed_out));
  sink.subscriber(topic);
  EXPECT_TRUE(publisher.try_wait_for_subscribers(2, Patience::unbounded()));
}

}  // namespace weir::conformance
