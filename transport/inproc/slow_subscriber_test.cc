// What happens when a subscriber does not keep up, and what publishers and subscribers agree on about it.
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transport/inproc/test_support.h"

namespace weir {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing_support::bytes;
using testing_support::fails;
using testing_support::must;
using testing_support::readable;
using testing_support::shown;
using testing_support::soon;
using testing_support::take_all;
using testing_support::text;

class SlowSubscriberTest : public testing_support::InprocTest {
 protected:
  static void send_each(Publisher& publisher, std::initializer_list<const char*> words) {
    for (const char* word : words) {
      must(publisher.send(bytes(word)));
    }
  }
};

TEST_F(SlowSubscriberTest, DropOldestKeepsTheNewestDepthSamplesAndAnnouncesTheLoss) {
  Publisher publisher = must(node.publisher("inproc://t"));
  Subscriber subscriber = must(node.subscriber("inproc://t?depth=2"));
  send_each(publisher, {"a", "b", "c", "d", "e"});
  EXPECT_THAT(take_all(subscriber), ElementsAre("+3 d", "e"));
  send_each(publisher, {"f"});
  EXPECT_THAT(take_all(subscriber), ElementsAre("f"));
}

TEST_F(SlowSubscriberTest, DropNewestKeepsTheOldestDepthSamplesAndAnnouncesTheLoss) {
  Publisher publisher = must(node.publisher("inproc://t"));
  Subscriber subscriber = must(node.subscriber("inproc://t?depth=2&policy=drop_newest"));
  send_each(publisher, {"a", "b", "c", "d"});
  EXPECT_EQ(shown(must(subscriber.take())), "a");
  send_each(publisher, {"e", "f"});
  EXPECT_THAT(take_all(subscriber), ElementsAre("b", "+2 e"));
  send_each(publisher, {"g"});
  EXPECT_THAT(take_all(subscriber), ElementsAre("+1 g"));
}

TEST_F(SlowSubscriberTest, DepthCountsForEachPublisherSeparately) {
  Publisher one = must(node.publisher("inproc://t"));
  Publisher two = must(node.publisher("inproc://t"));
  Subscriber subscriber = must(node.subscriber("inproc://t?depth=2"));
  send_each(one, {"1a", "1b", "1c"});
  send_each(two, {"2a", "2b"});
  EXPECT_THAT(take_all(subscriber), ::testing::UnorderedElementsAre("+1 1b", "1c", "2a", "2b"));
}

TEST_F(SlowSubscriberTest, DepthCountsUnreadSamplesAndNotThoseInHand) {
  Publisher publisher = must(node.publisher("inproc://t?grant=reject"));
  Subscriber subscriber = must(node.subscriber("inproc://t?depth=1&policy=lossless"));
  std::vector<Sample> in_hand;
  for (int count = 0; count < 5; ++count) {
    send_each(publisher, {"x"});
    in_hand.push_back(must(subscriber.take()));
  }
  EXPECT_EQ(in_hand.back().lost_before(), 0U);
}

TEST_F(SlowSubscriberTest, HistoryCountsAgainstTheDepth) {
  Publisher publisher = must(node.publisher("inproc://t?history=3&grant=reject"));
  send_each(publisher, {"a", "b", "c"});
  Subscriber dropping = must(node.subscriber("inproc://t?history=3&depth=3"));
  send_each(publisher, {"d"});
  Subscriber lossless = must(node.subscriber("inproc://t?history=3&depth=3&policy=lossless"));
  EXPECT_TRUE(fails(publisher.send(bytes("e")), ErrorCode::back_pressure));
  EXPECT_THAT(take_all(dropping), ElementsAre("+1 b", "c", "d"));
  EXPECT_THAT(take_all(lossless), ElementsAre("b", "c", "d"));
}

TEST_F(SlowSubscriberTest, RejectReturnsBackPressureAndNothingIsSpentOrReceived) {
  Publisher publisher = must(node.publisher("inproc://t?grant=reject&history=1"));
  Subscriber slow = must(node.subscriber("inproc://t?depth=1&policy=lossless&name=slow"));
  Subscriber quick = must(node.subscriber("inproc://t"));
  send_each(publisher, {"a"});
  Loan loan = must(publisher.loan(1));
  loan.payload()[0] = std::byte{'b'};
  // A deadline means nothing under reject.
  EXPECT_TRUE(fails(loan.publish(), ErrorCode::back_pressure, {"\"t\"", "slow", "depth=1"}));
  EXPECT_TRUE(fails(loan.publish(never), ErrorCode::back_pressure));
  EXPECT_TRUE(loan);
  EXPECT_THAT(take_all(quick), ElementsAre("a"));
  Subscriber late = must(node.subscriber("inproc://t?history=1"));
  EXPECT_THAT(take_all(late), ElementsAre("a"));
  EXPECT_THAT(take_all(slow), ElementsAre("a"));
  EXPECT_EQ(must(loan.publish()), 1U);
  EXPECT_THAT(take_all(quick), ElementsAre("b"));
  EXPECT_THAT(take_all(slow), ElementsAre("b"));
}

TEST_F(SlowSubscriberTest, BlockReturnsBackPressureAtTheDeadline) {
  Publisher publisher = must(node.publisher("inproc://t?grant=block&deadline=1ms"));
  Subscriber slow = must(node.subscriber("inproc://t?depth=1&policy=lossless&name=slow"));
  send_each(publisher, {"a"});
  Loan loan = must(publisher.loan(1));
  EXPECT_TRUE(fails(loan.publish(at_once), ErrorCode::back_pressure, {"\"t\"", "slow", "depth=1"}));
  const Deadline given = after(std::chrono::milliseconds(2));
  EXPECT_TRUE(fails(loan.publish(given), ErrorCode::back_pressure));
  EXPECT_GE(std::chrono::steady_clock::now(), given);
  EXPECT_TRUE(fails(loan.publish(), ErrorCode::back_pressure));
  must(slow.take());
  EXPECT_EQ(must(loan.publish()), 1U);
}

TEST_F(SlowSubscriberTest, BlockedPublishGoesOnWhenTheSubscriberTakes) {
  Publisher publisher = must(node.publisher("inproc://t?grant=block"));
  Subscriber slow = must(node.subscriber("inproc://t?depth=1&policy=lossless"));
  send_each(publisher, {"0"});
  constexpr int rounds = 2000;
  std::jthread publishing([&] {
    for (int round = 1; round <= rounds; ++round) {
      Loan loan = must(publisher.loan(0));
      EXPECT_EQ(must(loan.publish(soon())), static_cast<std::uint64_t>(round));
    }
  });
  for (int round = 0; round <= rounds; ++round) {
    ASSERT_EQ(must(slow.wait(soon())), Wake::ready);
    const Sample sample = must(slow.take());
    ASSERT_EQ(sample.sequence(), static_cast<std::uint64_t>(round));
    ASSERT_EQ(sample.lost_before(), 0U);
  }
}

TEST_F(SlowSubscriberTest, BlockedPublishGoesOnWhenTheSubscriberLeaves) {
  Publisher publisher = must(node.publisher("inproc://t?grant=block"));
  std::optional<Subscriber> slow = must(node.subscriber("inproc://t?depth=1&policy=lossless"));
  send_each(publisher, {"a"});
  std::jthread leaving([&] { slow.reset(); });
  Loan loan = must(publisher.loan(0));
  EXPECT_EQ(must(loan.publish(soon())), 1U);
}

TEST_F(SlowSubscriberTest, SubscriberWithUnreadSamplesOfADepartedPublisherHoldsNobodyBack) {
  Subscriber slow = must(node.subscriber("inproc://t?depth=1&policy=lossless"));
  must(must(node.publisher("inproc://t?grant=reject")).send(bytes("old")));
  Publisher successor = must(node.publisher("inproc://t?grant=reject"));
  send_each(successor, {"new"});
  EXPECT_THAT(take_all(slow), ::testing::UnorderedElementsAre("old", "new"));
}

TEST_F(SlowSubscriberTest, StalledDroppingSubscriberHarmsNobody) {
  Publisher publisher = must(node.publisher("inproc://t?grant=reject"));
  Subscriber stalled = must(node.subscriber("inproc://t?depth=1"));
  Subscriber lossless = must(node.subscriber("inproc://t?depth=1&policy=lossless"));
  for (const char* word : {"a", "b", "c"}) {
    send_each(publisher, {word});
    EXPECT_THAT(take_all(lossless), ElementsAre(word));
  }
  EXPECT_THAT(take_all(stalled), ElementsAre("+2 c"));
}

TEST_F(SlowSubscriberTest, PublisherWaitsForSpaceInACallAndInAnEventLoop) {
  Publisher publisher = must(node.publisher("inproc://t?grant=reject"));
  Subscriber slow = must(node.subscriber("inproc://t?depth=1&policy=lossless"));
  const int descriptor = must(publisher.fd());
  EXPECT_EQ(must(publisher.wait(at_once)), Wake::ready);
  send_each(publisher, {"a"});
  EXPECT_TRUE(fails(publisher.send(bytes("b")), ErrorCode::back_pressure));
  EXPECT_EQ(must(publisher.wait(at_once)), Wake::deadline);
  EXPECT_FALSE(readable(descriptor));

  must(slow.take());
  EXPECT_EQ(must(publisher.wait(at_once)), Wake::ready);
  EXPECT_TRUE(readable(descriptor));
  send_each(publisher, {"b"});
  EXPECT_FALSE(readable(descriptor));

  std::jthread taking([&] { must(slow.take()); });
  EXPECT_EQ(must(publisher.wait(soon())), Wake::ready);
}

TEST_F(SlowSubscriberTest, PublishersDescriptorIsQuietWhereThereIsSpaceAndNobodyWaitsForIt) {
  Publisher publisher = must(node.publisher("inproc://t?grant=reject"));
  Subscriber slow = must(node.subscriber("inproc://t?depth=2&policy=lossless"));
  const int descriptor = must(publisher.fd());
  EXPECT_FALSE(readable(descriptor));
  send_each(publisher, {"a", "b"});
  EXPECT_TRUE(fails(publisher.send({}), ErrorCode::back_pressure));
  take_all(slow);
  EXPECT_TRUE(readable(descriptor));
  send_each(publisher, {"c"});
  EXPECT_FALSE(readable(descriptor));
}

TEST_F(SlowSubscriberTest, LosslessDoesNotJoinAPublisherThatGrantsNothing) {
  {
    Publisher publisher = must(node.publisher("inproc://t?name=camera"));
    EXPECT_TRUE(fails(node.subscriber("inproc://t?policy=lossless&name=viewer"), ErrorCode::incompatible,
                      {"\"t\"", "camera", "viewer", "policy=lossless", "grant=drop"}));
    EXPECT_THAT(must(publisher.peers()), IsEmpty());
  }
  Subscriber subscriber = must(node.subscriber("inproc://t?policy=lossless&name=viewer"));
  EXPECT_TRUE(fails(node.publisher("inproc://t?name=camera"), ErrorCode::incompatible,
                    {"\"t\"", "camera", "viewer", "policy=lossless", "grant=drop"}));
  EXPECT_THAT(must(subscriber.peers()), IsEmpty());
  must(node.publisher("inproc://t?grant=block"));
  must(node.publisher("inproc://t?grant=reject"));
}

TEST_F(SlowSubscriberTest, MoreDepthThanGrantedDoesNotJoin) {
  {
    Publisher publisher = must(node.publisher("inproc://t?depth=8&name=camera"));
    must(node.subscriber("inproc://t?depth=8"));
    EXPECT_TRUE(fails(node.subscriber("inproc://t?depth=9&name=viewer"), ErrorCode::incompatible,
                      {"\"t\"", "camera", "viewer", "depth=9", "depth=8"}));
  }
  Subscriber subscriber = must(node.subscriber("inproc://t?depth=9&name=viewer"));
  EXPECT_TRUE(fails(node.publisher("inproc://t?depth=8&name=camera"), ErrorCode::incompatible,
                    {"\"t\"", "camera", "viewer", "depth=9", "depth=8"}));
}

TEST_F(SlowSubscriberTest, MoreHistoryThanRetainedDoesNotJoin) {
  {
    Publisher publisher = must(node.publisher("inproc://t?history=2&name=camera"));
    must(node.subscriber("inproc://t?history=2"));
    EXPECT_TRUE(fails(node.subscriber("inproc://t?history=3&name=viewer"), ErrorCode::incompatible,
                      {"\"t\"", "camera", "viewer", "history=3", "history=2"}));
  }
  Subscriber subscriber = must(node.subscriber("inproc://t?history=3&name=viewer"));
  EXPECT_TRUE(fails(node.publisher("inproc://t?history=2&name=camera"), ErrorCode::incompatible,
                    {"\"t\"", "camera", "viewer", "history=3", "history=2"}));
}

TEST_F(SlowSubscriberTest, DifferentStatedTypesDoNotJoinInEitherOrder) {
  const TypeInfo pose{.name = "Pose", .size = 24, .alignment = 8, .fingerprint = 1};
  TypeInfo other = pose;
  other.fingerprint = 2;
  {
    Publisher publisher = must(node.publisher("inproc://t?name=camera", {.type = pose}));
    must(node.subscriber("inproc://t"));
    must(node.subscriber("inproc://t", {.type = pose}));
    EXPECT_TRUE(fails(node.subscriber("inproc://t?name=viewer", {.type = other}), ErrorCode::incompatible,
                      {"\"t\"", "camera", "viewer", "Pose", "0x1", "0x2"}));
    EXPECT_TRUE(fails(node.publisher("inproc://t", {.type = other}), ErrorCode::incompatible));
  }
  Subscriber subscriber = must(node.subscriber("inproc://t?name=viewer", {.type = other}));
  EXPECT_TRUE(fails(node.publisher("inproc://t?name=camera", {.type = pose}), ErrorCode::incompatible,
                    {"camera", "viewer", "0x1", "0x2"}));
  EXPECT_TRUE(fails(node.subscriber("inproc://t", {.type = pose}), ErrorCode::incompatible));
}

TEST_F(SlowSubscriberTest, FailedJoinLeavesTheTopicAsItWas) {
  Publisher publisher = must(node.publisher("inproc://t?grant=reject"));
  Subscriber subscriber = must(node.subscriber("inproc://t?policy=lossless&depth=4"));
  EXPECT_TRUE(fails(node.publisher("inproc://t"), ErrorCode::incompatible));
  EXPECT_TRUE(fails(node.subscriber("inproc://t?history=1"), ErrorCode::incompatible));
  EXPECT_EQ(must(node.topics("inproc://")).at(0).peers.size(), 2U);
  send_each(publisher, {"a"});
  EXPECT_THAT(take_all(subscriber), ElementsAre("a"));
}

}  // namespace
}  // namespace weir
