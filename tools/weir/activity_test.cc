// What two looks tell, from members that are made up.
#include "tools/weir/activity.h"

#include <gtest/gtest.h>

namespace weir::tool {
namespace {

using std::chrono::seconds;

constexpr PeerId publisher_id = 1;
constexpr PeerId subscriber_id = 2;

shm::ObservedTopic topic_with(std::uint64_t published, std::uint64_t taken) {
  shm::ObservedPublisher publisher;
  publisher.peer.id = publisher_id;
  publisher.depth = 8;
  publisher.published = published;
  publisher.sampled = 4;
  publisher.sampled_bytes = 400;
  shm::ObservedSubscriber subscriber;
  subscriber.peer.id = subscriber_id;
  subscriber.depth = 4;
  subscriber.cursors = {{.publisher = publisher_id, .next = taken}};
  return {.topic = "camera", .directory = "camera", .publishers = {publisher}, .subscribers = {subscriber}};
}

class ActivityOf : public ::testing::Test {
 protected:
  TopicActivity look(const shm::ObservedTopic& topic) {
    now_ += seconds(2);
    return activity_.look({topic}, now_).at(0);
  }
  Activity activity_;
  Activity::Moment now_ = Activity::Moment(seconds(100));
};

TEST_F(ActivityOf, RateAndBytesAreThoseBetweenTwoLooks) {
  EXPECT_EQ(look(topic_with(10, 10)).rate, 0);
  const TopicActivity topic = look(topic_with(30, 30));
  EXPECT_DOUBLE_EQ(topic.rate, 10);
  EXPECT_DOUBLE_EQ(topic.bytes, 1000);
  EXPECT_EQ(topic.unread, 0U);
}

TEST_F(ActivityOf, NewcomerPublishedAllItHasSinceTheLastLookButNotWhoReturned) {
  (void)activity_.look({}, now_);
  EXPECT_DOUBLE_EQ(look(topic_with(10, 10)).rate, 5);
  Activity::Moment later = now_;
  Activity other;
  (void)other.look({}, later);
  shm::ObservedTopic durable = topic_with(10, 10);
  durable.publishers[0].durable = true;
  later += seconds(2);
  EXPECT_EQ(other.look({durable}, later)[0].rate, 0);
}

TEST_F(ActivityOf, WhatOverranAQueueIsLostOnce) {
  EXPECT_EQ(look(topic_with(3, 0)).lost, 0U);
  TopicActivity topic = look(topic_with(10, 0));  // of 10 the last 4 are left
  EXPECT_EQ(topic.lost, 6U);
  EXPECT_DOUBLE_EQ(topic.losing, 3);
  EXPECT_EQ(topic.unread, 4U);
  EXPECT_TRUE(topic.is_behind);
  topic = look(topic_with(10, 0));
  EXPECT_EQ(topic.lost, 6U);
  EXPECT_EQ(topic.losing, 0);
  topic = look(topic_with(12, 8));  // it has taken two of those that were left: none is lost
  EXPECT_EQ(topic.lost, 6U);
  topic = look(topic_with(20, 8));
  EXPECT_EQ(topic.lost, 14U);
}

TEST_F(ActivityOf, WhatWasLostBeforeTheFirstLookDoesNotCount) {
  EXPECT_EQ(look(topic_with(100, 0)).lost, 0U);
  EXPECT_EQ(look(topic_with(101, 0)).lost, 1U);
}

TEST_F(ActivityOf, LossesStayCountedWhenTheSubscriberHasLeft) {
  (void)look(topic_with(0, 0));
  (void)look(topic_with(10, 0));
  shm::ObservedTopic left = topic_with(10, 0);
  left.subscribers.clear();
  EXPECT_EQ(look(left).lost, 6U);
}

TEST_F(ActivityOf, DeadSubscriberNeitherLagsNorLoses) {
  (void)look(topic_with(0, 0));
  shm::ObservedTopic dead = topic_with(10, 0);
  dead.subscribers[0].condition = shm::Condition::dead;
  const TopicActivity topic = look(dead);
  EXPECT_EQ(topic.dead, 1U);
  EXPECT_EQ(topic.lost, 0U);
  EXPECT_FALSE(topic.is_behind);
}

TEST_F(ActivityOf, PublisherIsBlockedAsLongAsItWaitsWithoutGoingOn) {
  shm::ObservedTopic waiting = topic_with(4, 0);
  waiting.publishers[0].waits = true;
  EXPECT_EQ(look(waiting).blocked, 0);
  EXPECT_DOUBLE_EQ(look(waiting).blocked, 2);
  EXPECT_DOUBLE_EQ(look(waiting).blocked, 4);
  waiting.publishers[0].published = 5;  // it went on, and waits again
  EXPECT_EQ(look(waiting).blocked, 0);
  EXPECT_EQ(look(topic_with(6, 2)).blocked, 0);
}

}  // namespace
}  // namespace weir::tool
