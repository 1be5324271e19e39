// MISUSE: handles used in ways that they are not meant for. Each is an error value; nothing breaks.
#include <array>
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "conformance/harness/fixture.h"

namespace weir::conformance {

using Misuse = ConformanceTest;

namespace {

template <class Value>
void expect_error(const Result<Value>& result, ErrorCode code, const char* call) {
  if (result) {
    ADD_FAILURE() << call << " was not refused";
    return;
  }
  EXPECT_EQ(to_string(result.error().code()), to_string(code)) << call;
  EXPECT_FALSE(result.error().message().empty()) << call;
}

}  // namespace

CONFORMANCE_TEST(Misuse, ALoanThatOutlivesItsPublisherPublishesToClosed, "MISUSE-1") {
  const std::string topic = uri("topic");
  Subscriber subscriber = this->subscriber(topic);
  std::optional<Publisher> publisher = this->publisher(topic);
  ASSERT_TRUE(publisher->wait_for_subscribers(1, never));
  Loan first = must(publisher->loan(100), "loan");
  Loan second = must(publisher->loan(0), "loan");
  publisher.reset();
  expect_error(first.publish(), ErrorCode::closed, "publish");
  EXPECT_TRUE(first) << "the loan stays valid";
  first.payload()[99] = std::byte{1};
  EXPECT_TRUE(first.shrink(99)) << "it belongs to whoever has it";
  expect_error(first.publish(), ErrorCode::closed, "publish again");
  EXPECT_FALSE(must(subscriber.take(), "take"));
}

CONFORMANCE_TEST(Misuse, APublishedLoanPublishesNothingMore, "MISUSE-2") {
  const std::string topic = uri("topic");
  Subscriber subscriber = this->subscriber(topic);
  Publisher publisher = this->publisher(topic);
  ASSERT_TRUE(publisher.wait_for_subscribers(1, never));
  Loan loan = must(publisher.loan(8), "loan");
  must(loan.publish(), "publish");
  EXPECT_FALSE(loan);
  expect_error(loan.publish(), ErrorCode::closed, "publish again");
  expect_error(loan.shrink(0), ErrorCode::closed, "shrink after publish");
  expect_error(Loan().shrink(0), ErrorCode::closed, "shrink of a loan of nobody");
  loan.drop();
  EXPECT_TRUE(must(subscriber.take(), "take"));
  EXPECT_FALSE(must(subscriber.take(), "take"));
}

CONFORMANCE_TEST(Misuse, HandlesMovedFromAreClosed, "MISUSE-3") {
  const std::string topic = uri("topic");
  Subscriber subscriber = this->subscriber(topic);
  Publisher publisher = this->publisher(topic);
  ASSERT_TRUE(publisher.wait_for_subscribers(1, never));
  Loan loan = must(publisher.loan(8), "loan");
  Loan moved_loan = std::move(loan);
  Publisher moved_publisher = std::move(publisher);
  Subscriber moved_subscriber = std::move(subscriber);
  Node own = node();
  const Node moved_node = std::move(own);
  // NOLINTBEGIN(bugprone-use-after-move): that is what is judged
  expect_error(loan.publish(), ErrorCode::closed, "publish");
  expect_error(loan.shrink(1), ErrorCode::closed, "shrink");
  expect_error(publisher.loan(8), ErrorCode::closed, "loan");
  expect_error(publisher.send({}), ErrorCode::closed, "send");
  expect_error(publisher.wait_for_subscribers(0, at_once), ErrorCode::closed, "wait_for_subscribers");
  expect_error(publisher.wait_until_taken(0, at_once), ErrorCode::closed, "wait_until_taken");
  expect_error(publisher.wait(at_once), ErrorCode::closed, "wait");
  expect_error(publisher.fd(), ErrorCode::closed, "fd");
  expect_error(publisher.next_event(), ErrorCode::closed, "next_event");
  expect_error(publisher.peers(), ErrorCode::closed, "peers");
  expect_error(subscriber.take(), ErrorCode::closed, "take");
  expect_error(subscriber.wait(at_once), ErrorCode::closed, "wait");
  expect_error(subscriber.fd(), ErrorCode::closed, "fd");
  expect_error(subscriber.next_event(), ErrorCode::closed, "next_event");
  expect_error(subscriber.peers(), ErrorCode::closed, "peers");
  expect_error(subscriber.in_hand_at_death(), ErrorCode::closed, "in_hand_at_death");
  expect_error(own.publisher(topic), ErrorCode::closed, "publisher");
  expect_error(own.subscriber(topic), ErrorCode::closed, "subscriber");
  expect_error(own.capabilities(topic), ErrorCode::closed, "capabilities");
  expect_error(own.topics(backend_uri()), ErrorCode::closed, "topics");
  expect_error(own.remove(topic), ErrorCode::closed, "remove");
  // NOLINTEND(bugprone-use-after-move)
  must(moved_loan.publish(), "publish by the loan moved to");
  must(moved_publisher.send({}), "send by the publisher moved to");
  EXPECT_TRUE(must(moved_subscriber.take(), "take by the subscriber moved to"));
}

CONFORMANCE_TEST(Misuse, AssignmentLeavesTheTopicOfTheHandleAssignedTo, "MISUSE-3") {
  NEEDS(full_membership);
  Publisher publisher = this->publisher(uri("old"));
  Subscriber watcher = this->subscriber(uri("old"));
  publisher = this->publisher(uri("new"));
  EXPECT_TRUE(must(watcher.peers(), "peers").empty());
  Subscriber subscriber = this->subscriber(uri("old"));
  subscriber = this->subscriber(uri("new"));
  ASSERT_TRUE(publisher.wait_for_subscribers(1, never));
  must(publisher.send({}), "send");
  EXPECT_TRUE(must(subscriber.take(), "take"));
}

CONFORMANCE_TEST(Misuse, ALoanDoesNotGrow, "MISUSE-4") {
  const std::string topic = uri("topic");
  Subscriber subscriber = this->subscriber(topic);
  Publisher publisher = this->publisher(topic);
  ASSERT_TRUE(publisher.wait_for_subscribers(1, never));
  Loan loan = must(publisher.loan(100), "loan");
  expect_error(loan.shrink(101), ErrorCode::invalid_argument, "shrink to more");
  EXPECT_EQ(loan.payload().size(), 100U);
  EXPECT_TRUE(loan.shrink(100));
  EXPECT_TRUE(loan.shrink(40));
  expect_error(loan.shrink(41), ErrorCode::invalid_argument, "shrink to more than was left");
  must(loan.publish(), "publish");
  EXPECT_EQ(must_take(subscriber).payload().size(), 40U);
}

CONFORMANCE_TEST(Misuse, AnAlignmentThatIsNoneIsRefused, "MISUSE-5") {
  Publisher publisher = this->publisher(uri("topic"));
  for (const std::size_t alignment : {std::size_t{0}, std::size_t{3}, std::size_t{24}, std::size_t{8192}}) {
    expect_error(publisher.loan(64, 0, alignment), ErrorCode::invalid_argument, "loan");
  }
  EXPECT_TRUE(publisher.loan(64, 0, 4096));
}

CONFORMANCE_TEST(Misuse, AWaitSetRefusesWhatIsInItAndWhatIsNot, "MISUSE-6") {
  Subscriber subscriber = this->subscriber(uri("topic"));
  Subscriber stranger = this->subscriber(uri("topic"));
  WaitSet set = must(WaitSet::create(), "wait set");
  EXPECT_TRUE(set.add(subscriber, 1));
  expect_error(set.add(subscriber, 2), ErrorCode::invalid_argument, "add again");
  expect_error(set.remove(stranger), ErrorCode::not_found, "remove a stranger");
  EXPECT_TRUE(set.remove(subscriber));
  expect_error(set.remove(subscriber), ErrorCode::not_found, "remove again");
}

}  // namespace weir::conformance
