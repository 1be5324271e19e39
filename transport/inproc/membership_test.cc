// Who is on a topic: events, lists of peers, lists of topics.
#include <unistd.h>

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transport/inproc/test_support.h"

namespace weir {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using testing_support::bytes;
using testing_support::fails;
using testing_support::must;
using testing_support::readable;
using testing_support::take_all;

class MembershipTest : public testing_support::InprocTest {
 protected:
  // "joined publisher camera", until there is no event.
  template <class Endpoint>
  static std::vector<std::string> events(Endpoint& endpoint) {
    std::vector<std::string> all;
    for (auto event = must(endpoint.next_event()); event; event = must(endpoint.next_event())) {
      all.push_back(std::string(to_string(event->change)) + " " + std::string(to_string(event->peer.role)) + " " +
                    event->peer.name);
    }
    return all;
  }
};

TEST_F(MembershipTest, BothSidesSeeTheOtherComeAndGo) {
  Publisher publisher = must(node.publisher("inproc://t?name=camera"));
  Subscriber subscriber = must(node.subscriber("inproc://t?name=viewer"));
  EXPECT_THAT(events(publisher), ElementsAre("joined subscriber viewer"));
  EXPECT_THAT(events(subscriber), ElementsAre("joined publisher camera"));
  {
    Publisher second = must(node.publisher("inproc://t?name=second"));
    Subscriber third = must(node.subscriber("inproc://t?name=third"));
    EXPECT_THAT(events(publisher), ElementsAre("joined subscriber third"));
    EXPECT_THAT(events(subscriber), ElementsAre("joined publisher second"));
  }
  EXPECT_THAT(events(publisher), ElementsAre("left subscriber third"));
  EXPECT_THAT(events(subscriber), ElementsAre("left publisher second"));
}

TEST_F(MembershipTest, FirstCallReportsThosePresentAsJoined) {
  Subscriber one = must(node.subscriber("inproc://t?name=one"));
  Publisher publisher = must(node.publisher("inproc://t"));
  must(node.subscriber("inproc://t?name=gone"));
  Subscriber two = must(node.subscriber("inproc://t?name=two"));
  EXPECT_THAT(events(publisher), ElementsAre("joined subscriber one", "joined subscriber two"));
}

TEST_F(MembershipTest, PeerThatLeftAndCameBackIsAnotherPeer) {
  Publisher publisher = must(node.publisher("inproc://t"));
  std::optional<Subscriber> subscriber = must(node.subscriber("inproc://t?name=viewer"));
  const PeerId first = subscriber->id();
  EXPECT_THAT(events(publisher), ElementsAre("joined subscriber viewer"));
  subscriber.reset();
  subscriber = must(node.subscriber("inproc://t?name=viewer"));
  EXPECT_NE(subscriber->id(), first);
  EXPECT_THAT(events(publisher), ElementsAre("left subscriber viewer", "joined subscriber viewer"));
}

TEST_F(MembershipTest, EventsMakeTheDescriptorReadableOnceTheyWereAskedFor) {
  Subscriber subscriber = must(node.subscriber("inproc://t"));
  const int descriptor = must(subscriber.fd());
  std::optional<Publisher> publisher = must(node.publisher("inproc://t?name=camera"));
  EXPECT_FALSE(readable(descriptor)) << "nobody has asked for events";
  EXPECT_THAT(events(subscriber), ElementsAre("joined publisher camera"));
  EXPECT_FALSE(readable(descriptor));
  must(publisher->send(bytes("x")));
  publisher.reset();
  EXPECT_TRUE(readable(descriptor));
  EXPECT_THAT(events(subscriber), ElementsAre("left publisher camera"));
  EXPECT_TRUE(readable(descriptor)) << "a sample is still there";
  EXPECT_THAT(take_all(subscriber), ElementsAre("x"));
  EXPECT_FALSE(readable(descriptor));
}

TEST_F(MembershipTest, EventAloneDoesNotEndAWaitForData) {
  Subscriber subscriber = must(node.subscriber("inproc://t"));
  EXPECT_THAT(events(subscriber), IsEmpty());
  const int descriptor = must(subscriber.fd());
  Publisher publisher = must(node.publisher("inproc://t"));
  EXPECT_TRUE(readable(descriptor));
  EXPECT_EQ(must(subscriber.wait(at_once)), Wake::deadline);
}

TEST_F(MembershipTest, PublishersDescriptorShowsSubscribersComeAndGo) {
  Publisher publisher = must(node.publisher("inproc://t"));
  const int descriptor = must(publisher.fd());
  EXPECT_THAT(events(publisher), IsEmpty());
  EXPECT_FALSE(readable(descriptor));
  std::optional<Subscriber> subscriber = must(node.subscriber("inproc://t?name=viewer"));
  EXPECT_TRUE(readable(descriptor));
  EXPECT_THAT(events(publisher), ElementsAre("joined subscriber viewer"));
  EXPECT_FALSE(readable(descriptor));
  subscriber.reset();
  EXPECT_TRUE(readable(descriptor));
}

TEST_F(MembershipTest, PeersAreThoseOfTheOtherRole) {
  Publisher publisher = must(node.publisher("inproc://t?name=camera"));
  Publisher other = must(node.publisher("inproc://t"));
  Subscriber subscriber = must(node.subscriber("inproc://t?name=viewer"));
  EXPECT_THAT(must(publisher.peers()),
              ElementsAre(Peer{
                  .role = Role::subscriber, .id = subscriber.id(), .name = "viewer", .pid = getpid(), .alive = true}));
  EXPECT_EQ(must(subscriber.peers()).size(), 2U);
  EXPECT_THAT((std::set{publisher.id(), other.id(), subscriber.id(), PeerId{0}}), ::testing::SizeIs(4));
}

TEST_F(MembershipTest, TopicsAreListedWithTheirPeersWhileTheyAreInUse) {
  std::optional<Publisher> publisher = must(node.publisher("inproc://a?name=camera"));
  Subscriber subscriber = must(node.subscriber("inproc://b/c%20d?name=viewer"));
  const auto shown = [&] {
    std::vector<std::string> all;
    for (const TopicDescription& topic : must(node.topics("inproc://"))) {
      all.push_back(topic.topic + ": " + topic.peers.at(0).name);
    }
    return all;
  };
  EXPECT_THAT(shown(), UnorderedElementsAre("a: camera", "b/c d: viewer"));
  publisher.reset();
  EXPECT_THAT(shown(), ElementsAre("b/c d: viewer"));
}

TEST_F(MembershipTest, WhatIsNotPromisedIsRefused) {
  const Capabilities promised = must(node.capabilities("inproc://t"));
  EXPECT_FALSE(promised.persistence);
  EXPECT_FALSE(promised.across_processes);
  EXPECT_TRUE(fails(node.publisher("inproc://t?durability=persistent"), ErrorCode::unsupported, {"persistent"}));
  EXPECT_TRUE(fails(node.subscriber("inproc://t?durability=persistent"), ErrorCode::unsupported, {"persistent"}));
  EXPECT_TRUE(fails(node.remove("inproc://t"), ErrorCode::unsupported));
}

}  // namespace
}  // namespace weir
