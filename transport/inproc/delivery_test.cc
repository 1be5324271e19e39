// What is published arrives: in order, once, with history, whatever is destroyed first.
#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
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
using ::testing::UnorderedElementsAre;
using testing_support::bytes;
using testing_support::must;
using testing_support::shown;
using testing_support::take_all;
using testing_support::text;

class DeliveryTest : public testing_support::InprocTest {};

TEST_F(DeliveryTest, EverySubscriberReceivesEverySampleOnceAndInOrder) {
  Publisher publisher = must(node.publisher("inproc://t"));
  Subscriber one = must(node.subscriber("inproc://t"));
  Subscriber two = must(node.subscriber("inproc://t"));
  for (const char* word : {"a", "b", "c"}) {
    must(publisher.send(bytes(word)));
  }
  EXPECT_THAT(take_all(one), ElementsAre("a", "b", "c"));
  EXPECT_THAT(take_all(two), ElementsAre("a", "b", "c"));
  EXPECT_THAT(take_all(one), IsEmpty());
}

TEST_F(DeliveryTest, TopicsAndNodesOfOneProcessMeetByNameAlone) {
  Node other = must(Node::open());
  Publisher publisher = must(node.publisher("inproc://a%2Fb"));
  Subscriber same = must(other.subscriber("inproc://a/b"));
  Subscriber different = must(other.subscriber("inproc://a/B"));
  must(publisher.send(bytes("x")));
  EXPECT_THAT(take_all(same), ElementsAre("x"));
  EXPECT_THAT(take_all(different), IsEmpty());
}

TEST_F(DeliveryTest, SampleCarriesPublisherSequenceTimeAndHeader) {
  Publisher publisher = must(node.publisher("inproc://t"));
  Subscriber subscriber = must(node.subscriber("inproc://t"));
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(must(publisher.send(bytes("payload"), bytes("header"))), 0U);
  EXPECT_EQ(must(publisher.send(bytes("next"))), 1U);
  const auto after = std::chrono::steady_clock::now();

  const Sample first = must(subscriber.take());
  EXPECT_EQ(first.publisher(), publisher.id());
  EXPECT_EQ(first.sequence(), 0U);
  EXPECT_EQ(first.lost_before(), 0U);
  EXPECT_EQ(text(first.header()), "header");
  EXPECT_EQ(text(first.payload()), "payload");
  EXPECT_GE(first.publish_time(), before);
  EXPECT_LE(first.publish_time(), after);
  const Sample second = must(subscriber.take());
  EXPECT_EQ(second.sequence(), 1U);
  EXPECT_TRUE(second.header().empty());
  EXPECT_GE(second.publish_time(), first.publish_time());
}

TEST_F(DeliveryTest, SampleIsThePublishersOwnMemoryForAllSubscribers) {
  Publisher publisher = must(node.publisher("inproc://t"));
  Subscriber one = must(node.subscriber("inproc://t"));
  Subscriber two = must(node.subscriber("inproc://t"));
  Loan loan = must(publisher.loan(100, 10, 4096));
  const std::byte* const payload = loan.payload().data();
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(payload) % 4096, 0U);
  must(loan.publish());
  EXPECT_EQ(must(one.take()).payload().data(), payload);
  EXPECT_EQ(must(two.take()).payload().data(), payload);
}

TEST_F(DeliveryTest, EmptyMessageIsAMessage) {
  Publisher publisher = must(node.publisher("inproc://t"));
  Subscriber subscriber = must(node.subscriber("inproc://t"));
  must(publisher.send({}));
  const Sample sample = must(subscriber.take());
  EXPECT_TRUE(sample);
  EXPECT_TRUE(sample.payload().empty());
}

TEST_F(DeliveryTest, ShrunkLoanArrivesShort) {
  Publisher publisher = must(node.publisher("inproc://t"));
  Subscriber subscriber = must(node.subscriber("inproc://t"));
  Loan loan = must(publisher.loan(5));
  std::ranges::copy(bytes("hello"), loan.payload().begin());
  must(loan.shrink(4));
  must(loan.publish());
  EXPECT_THAT(take_all(subscriber), ElementsAre("hell"));
}

TEST_F(DeliveryTest, DroppedLoanSpendsNoNumberAndReachesNobody) {
  Publisher publisher = must(node.publisher("inproc://t?history=4"));
  Subscriber subscriber = must(node.subscriber("inproc://t"));
  must(publisher.send(bytes("a")));
  { const Loan dropped = must(publisher.loan(8)); }
  EXPECT_EQ(must(publisher.send(bytes("b"))), 1U);
  EXPECT_THAT(take_all(subscriber), ElementsAre("a", "b"));
}

TEST_F(DeliveryTest, LoansMayBePublishedInAnyOrder) {
  Publisher publisher = must(node.publisher("inproc://t"));
  Subscriber subscriber = must(node.subscriber("inproc://t"));
  Loan early = must(publisher.loan(1));
  Loan late = must(publisher.loan(1));
  early.payload()[0] = std::byte{'e'};
  late.payload()[0] = std::byte{'l'};
  EXPECT_EQ(must(late.publish()), 0U);
  EXPECT_EQ(must(early.publish()), 1U);
  EXPECT_THAT(take_all(subscriber), ElementsAre("l", "e"));
}

TEST_F(DeliveryTest, NoPublisherOfManyIsStarved) {
  Publisher busy = must(node.publisher("inproc://t?name=busy"));
  Publisher quiet = must(node.publisher("inproc://t?name=quiet"));
  Subscriber subscriber = must(node.subscriber("inproc://t?depth=4"));
  for (int count = 0; count < 4; ++count) {
    must(busy.send(bytes("busy")));
  }
  must(quiet.send(bytes("quiet")));
  std::set<PeerId> heard;
  for (int count = 0; count < 2; ++count) {
    heard.insert(must(subscriber.take()).publisher());
    must(busy.send(bytes("busy")));
  }
  EXPECT_THAT(heard, UnorderedElementsAre(busy.id(), quiet.id()));
}

TEST_F(DeliveryTest, LateJoinerSeesHistoryThenLiveWithoutGap) {
  Publisher publisher = must(node.publisher("inproc://t?history=3"));
  for (const char* word : {"a", "b", "c", "d", "e"}) {
    must(publisher.send(bytes(word)));
  }
  Subscriber all = must(node.subscriber("inproc://t?history=3"));
  Subscriber some = must(node.subscriber("inproc://t?history=2"));
  Subscriber none = must(node.subscriber("inproc://t"));
  must(publisher.send(bytes("f")));
  EXPECT_THAT(take_all(all), ElementsAre("c", "d", "e", "f"));
  EXPECT_THAT(take_all(some), ElementsAre("d", "e", "f"));
  EXPECT_THAT(take_all(none), ElementsAre("f"));
}

TEST_F(DeliveryTest, HistoryIsOfEachPublisherAndNoMoreThanThereIs) {
  Publisher one = must(node.publisher("inproc://t?history=2"));
  Publisher two = must(node.publisher("inproc://t?history=9"));
  for (const char* word : {"1a", "1b", "1c"}) {
    must(one.send(bytes(word)));
  }
  must(two.send(bytes("2a")));
  Subscriber subscriber = must(node.subscriber("inproc://t?history=2"));
  EXPECT_THAT(take_all(subscriber), UnorderedElementsAre("1b", "1c", "2a"));
}

TEST_F(DeliveryTest, PublisherThatJoinsLaterIsReceivedFromItsFirstSample) {
  Subscriber subscriber = must(node.subscriber("inproc://t"));
  Publisher publisher = must(node.publisher("inproc://t"));
  must(publisher.send(bytes("first")));
  const Sample sample = must(subscriber.take());
  EXPECT_EQ(text(sample.payload()), "first");
  EXPECT_EQ(sample.lost_before(), 0U);
}

TEST_F(DeliveryTest, UnreadSamplesSurviveTheirPublishersClose) {
  Subscriber subscriber = must(node.subscriber("inproc://t"));
  {
    Publisher publisher = must(node.publisher("inproc://t?history=4"));
    must(publisher.send(bytes("a")));
    must(publisher.send(bytes("b")));
  }
  EXPECT_THAT(must(subscriber.peers()), IsEmpty());
  EXPECT_EQ(must(subscriber.wait(at_once)), Wake::ready);
  EXPECT_THAT(take_all(subscriber), ElementsAre("a", "b"));
  EXPECT_EQ(must(subscriber.wait(at_once)), Wake::deadline);
}

TEST_F(DeliveryTest, HistoryOfAPublisherGoesWithIt) {
  Subscriber keeps_the_topic = must(node.subscriber("inproc://t"));
  must(must(node.publisher("inproc://t?history=4")).send(bytes("gone")));
  Publisher successor = must(node.publisher("inproc://t?history=4"));
  Subscriber late = must(node.subscriber("inproc://t?history=4"));
  EXPECT_THAT(take_all(late), IsEmpty());
  EXPECT_EQ(must(successor.send(bytes("new"))), 0U);
  EXPECT_THAT(take_all(late), ElementsAre("new"));
}

TEST_F(DeliveryTest, SampleOutlivesSubscriberPublisherAndNode) {
  std::optional<Node> short_lived = must(Node::open());
  std::optional<Publisher> publisher = must(short_lived->publisher("inproc://t"));
  std::optional<Subscriber> subscriber = must(short_lived->subscriber("inproc://t"));
  must(publisher->send(bytes("kept"), bytes("too")));
  Sample sample = must(subscriber->take());
  const auto published = sample.publish_time();
  subscriber.reset();
  publisher.reset();
  short_lived.reset();
  EXPECT_TRUE(must(node.topics("inproc://")).empty());
  EXPECT_EQ(text(sample.payload()), "kept");
  EXPECT_EQ(text(sample.header()), "too");
  EXPECT_EQ(sample.publish_time(), published);
  std::jthread elsewhere([moved = std::move(sample)]() mutable { moved.release(); });
}

TEST_F(DeliveryTest, TopicStartsAnewAfterItsLastUser) {
  {
    Publisher publisher = must(node.publisher("inproc://t?history=4", {.type = TypeInfo{.name = "old"}}));
    must(publisher.send(bytes("old")));
  }
  Subscriber subscriber = must(node.subscriber("inproc://t?depth=999&history=99", {.type = TypeInfo{.name = "new"}}));
  EXPECT_THAT(take_all(subscriber), IsEmpty());
}

}  // namespace
}  // namespace weir
