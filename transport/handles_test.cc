// The life of handles: moved, outlived, destroyed in any order, used when there is nothing behind them.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transport/inproc/test_support.h"
#include "transport/node.h"

namespace weir {
namespace {

using ::testing::ElementsAre;
using testing_support::bytes;
using testing_support::fails;
using testing_support::must;
using testing_support::take_all;
using testing_support::text;

template <class Handle>
constexpr bool move_only = std::is_nothrow_move_constructible_v<Handle> && std::is_nothrow_move_assignable_v<Handle> &&
                           !std::is_copy_constructible_v<Handle> && !std::is_copy_assignable_v<Handle>;
static_assert(move_only<Publisher> && move_only<Subscriber> && move_only<Loan> && move_only<Sample>);

class HandlesTest : public testing_support::InprocTest {
 protected:
  Publisher publisher_ = must(node.publisher("inproc://t?loans=2&max_payload=100&name=camera"));
  Subscriber subscriber_ = must(node.subscriber("inproc://t?depth=3"));

  // Who is on the topic now.
  std::size_t peers() {
    const auto topics = must(node.topics("inproc://"));
    return topics.empty() ? 0 : topics.at(0).peers.size();
  }
};

TEST_F(HandlesTest, MovedPublisherIsTheSamePublisher) {
  const PeerId id = publisher_.id();
  Publisher moved = std::move(publisher_);
  EXPECT_EQ(moved.id(), id);
  EXPECT_EQ(moved.qos().name, "camera");
  EXPECT_EQ(peers(), 2U);
  must(moved.send(bytes("x")));
  EXPECT_THAT(take_all(subscriber_), ElementsAre("x"));
}

TEST_F(HandlesTest, EveryCallOfAMovedFromPublisherReturnsClosed) {
  const Publisher moved = std::move(publisher_);
  // NOLINTBEGIN(bugprone-use-after-move): this is what the test is about
  EXPECT_TRUE(fails(publisher_.loan(1), ErrorCode::closed, {"moved from"}));
  EXPECT_TRUE(fails(publisher_.loan(1, 1, 3), ErrorCode::closed));
  EXPECT_TRUE(fails(publisher_.send({}), ErrorCode::closed));
  EXPECT_TRUE(fails(publisher_.wait_for_subscribers(1, at_once), ErrorCode::closed));
  EXPECT_TRUE(fails(publisher_.wait_until_taken(0, at_once), ErrorCode::closed));
  EXPECT_TRUE(fails(publisher_.wait(at_once), ErrorCode::closed));
  EXPECT_TRUE(fails(publisher_.fd(), ErrorCode::closed));
  EXPECT_TRUE(fails(publisher_.next_event(), ErrorCode::closed));
  EXPECT_TRUE(fails(publisher_.peers(), ErrorCode::closed));
  EXPECT_EQ(publisher_.id(), 0U);
  EXPECT_EQ(publisher_.capabilities(), Capabilities());
  // NOLINTEND(bugprone-use-after-move)
}

TEST_F(HandlesTest, EveryCallOfAMovedFromSubscriberReturnsClosed) {
  const Subscriber moved = std::move(subscriber_);
  // NOLINTBEGIN(bugprone-use-after-move): this is what the test is about
  EXPECT_TRUE(fails(subscriber_.take(), ErrorCode::closed, {"moved from"}));
  EXPECT_TRUE(fails(subscriber_.wait(at_once), ErrorCode::closed));
  EXPECT_TRUE(fails(subscriber_.fd(), ErrorCode::closed));
  EXPECT_TRUE(fails(subscriber_.next_event(), ErrorCode::closed));
  EXPECT_TRUE(fails(subscriber_.peers(), ErrorCode::closed));
  EXPECT_TRUE(fails(subscriber_.in_hand_at_death(), ErrorCode::closed));
  EXPECT_EQ(subscriber_.id(), 0U);
  EXPECT_EQ(subscriber_.capabilities(), Capabilities());
  // NOLINTEND(bugprone-use-after-move)
}

TEST_F(HandlesTest, HandleThatIsAssignedToLeavesItsTopicFirst) {
  Publisher second = must(node.publisher("inproc://t?name=second"));
  Subscriber third = must(node.subscriber("inproc://t"));
  EXPECT_EQ(peers(), 4U);
  publisher_ = std::move(second);
  EXPECT_EQ(publisher_.qos().name, "second");
  EXPECT_EQ(peers(), 3U);
  subscriber_ = std::move(third);
  EXPECT_EQ(peers(), 2U);
  must(publisher_.send(bytes("x")));
  EXPECT_THAT(take_all(subscriber_), ElementsAre("x"));
}

TEST_F(HandlesTest, HandleAssignedToItselfStaysWhatItIs) {
  Publisher& same_publisher = publisher_;
  publisher_ = std::move(same_publisher);
  Subscriber& same_subscriber = subscriber_;
  subscriber_ = std::move(same_subscriber);
  Loan loan = must(publisher_.loan(0));
  Loan& same_loan = loan;
  loan = std::move(same_loan);
  must(loan.publish());
  Sample sample = must(subscriber_.take());
  Sample& same_sample = sample;
  sample = std::move(same_sample);
  EXPECT_TRUE(sample);
  EXPECT_EQ(peers(), 2U);
}

TEST_F(HandlesTest, LoanIsEmptyOncePublishedDroppedOrMovedFrom) {
  Loan published = must(publisher_.loan(1));
  EXPECT_TRUE(published);
  must(published.publish());
  EXPECT_FALSE(published);
  EXPECT_TRUE(fails(published.publish(), ErrorCode::closed, {"published already"}));
  EXPECT_TRUE(fails(published.shrink(0), ErrorCode::closed));

  Loan dropped = must(publisher_.loan(1));
  dropped.drop();
  EXPECT_FALSE(dropped);
  dropped.drop();
  EXPECT_TRUE(fails(dropped.publish(), ErrorCode::closed));
  EXPECT_TRUE(fails(dropped.shrink(0), ErrorCode::closed));

  Loan source = must(publisher_.loan(1));
  const Loan target = std::move(source);
  EXPECT_TRUE(target);
  EXPECT_FALSE(source);  // NOLINT(bugprone-use-after-move)
  EXPECT_TRUE(fails(source.publish(), ErrorCode::closed));
  EXPECT_TRUE(fails(source.shrink(0), ErrorCode::closed));
  EXPECT_FALSE(Loan());
  EXPECT_TRUE(fails(Loan().publish(), ErrorCode::closed));
  EXPECT_TRUE(fails(Loan().shrink(0), ErrorCode::closed));
}

TEST_F(HandlesTest, LoanThatIsAssignedToDropsWhatItHad) {
  Loan loan = must(publisher_.loan(1));
  loan = must(publisher_.loan(2));
  EXPECT_EQ(loan.payload().size(), 2U);
  // With loans=2 this succeeds only if the first one was given back.
  EXPECT_TRUE(publisher_.loan(1));
}

TEST_F(HandlesTest, LoanThatOutlivesItsPublisherPublishesToClosed) {
  std::optional<Publisher> short_lived = std::move(publisher_);
  Loan loan = must(short_lived->loan(4));
  Loan other = must(short_lived->loan(4));
  short_lived.reset();
  EXPECT_TRUE(loan);
  std::ranges::copy(bytes("text"), loan.payload().begin());
  EXPECT_TRUE(fails(loan.publish(), ErrorCode::closed));
  EXPECT_TRUE(loan) << "the loan is still there";
  EXPECT_EQ(text(loan.payload()), "text");
  must(loan.shrink(2));
  EXPECT_TRUE(fails(loan.shrink(3), ErrorCode::invalid_argument, {"inproc://t"}));
  loan.drop();
  EXPECT_TRUE(fails(other.publish(), ErrorCode::closed)) << "the port lives as long as its last loan";
  EXPECT_THAT(take_all(subscriber_), ElementsAre());
}

TEST_F(HandlesTest, OpenLoansAreLimited) {
  std::optional<Loan> one = must(publisher_.loan(1));
  const Loan two = must(publisher_.loan(1));
  EXPECT_TRUE(fails(publisher_.loan(1), ErrorCode::limit_exceeded, {"2 loans", "loans=2"}));
  EXPECT_TRUE(fails(publisher_.send({}), ErrorCode::limit_exceeded, {"loans=2"}));
  must(one->publish());
  one = must(publisher_.loan(1));
  EXPECT_FALSE(publisher_.loan(1));
  one.reset();
  EXPECT_TRUE(publisher_.loan(1));
}

TEST_F(HandlesTest, LoanThatIsTooLargeOrMisalignedIsRefusedWithTheLimit) {
  EXPECT_TRUE(publisher_.loan(100));
  EXPECT_TRUE(fails(publisher_.loan(101), ErrorCode::limit_exceeded, {"101", "max_payload=100"}));
  EXPECT_TRUE(fails(publisher_.send(std::vector<std::byte>(101)), ErrorCode::limit_exceeded, {"max_payload=100"}));
  EXPECT_TRUE(publisher_.loan(1, 65536));
  EXPECT_TRUE(fails(publisher_.loan(1, 65537), ErrorCode::limit_exceeded, {"65537", "65536"}));
  for (const std::size_t alignment : {0, 3, 12, 8192}) {
    EXPECT_TRUE(fails(publisher_.loan(1, 0, alignment), ErrorCode::invalid_argument,
                      {"alignment of " + std::to_string(alignment), "4096"}));
  }
}

TEST_F(HandlesTest, LoanIsAlignedAsAskedForAndAtLeastTo8) {
  for (const std::size_t alignment : {1, 2, 8, 64, 4096}) {
    const Loan loan = must(publisher_.loan(3, 5, alignment));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(loan.payload().data()) % std::max<std::size_t>(alignment, 8), 0U);
    EXPECT_EQ(loan.payload().size(), 3U);
    EXPECT_EQ(loan.header().size(), 5U);
  }
}

TEST_F(HandlesTest, LoanShrinksAndDoesNotGrow) {
  Loan loan = must(publisher_.loan(10));
  must(loan.shrink(10));
  must(loan.shrink(4));
  EXPECT_EQ(loan.payload().size(), 4U);
  EXPECT_TRUE(fails(loan.shrink(5), ErrorCode::invalid_argument, {"4 bytes", "5"}));
  must(loan.shrink(0));
  must(loan.publish());
  EXPECT_TRUE(must(subscriber_.take()));
}

TEST_F(HandlesTest, SampleIsEmptyOnceReleasedOrMovedFrom) {
  EXPECT_FALSE(Sample());
  EXPECT_FALSE(must(subscriber_.take()));
  must(publisher_.send(bytes("x")));
  Sample sample = must(subscriber_.take());
  Sample moved = std::move(sample);
  EXPECT_FALSE(sample);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(text(moved.payload()), "x");
  moved.release();
  EXPECT_FALSE(moved);
  moved.release();
}

TEST_F(HandlesTest, SampleThatIsAssignedToReleasesWhatItHad) {
  Subscriber one_in_hand = must(node.subscriber("inproc://t?held=1"));
  for (const char* word : {"a", "b"}) {
    must(publisher_.send(bytes(word)));
  }
  Sample sample = must(one_in_hand.take());
  sample = Sample();
  sample = must(one_in_hand.take());
  EXPECT_EQ(text(sample.payload()), "b");
}

TEST_F(HandlesTest, QosIsWhatWasResolved) {
  EXPECT_EQ(publisher_.qos().loans, 2U);
  EXPECT_EQ(publisher_.qos().max_payload, 100U);
  EXPECT_EQ(subscriber_.qos().depth, 3U);
  EXPECT_EQ(publisher_.capabilities(), must(node.capabilities("inproc://t")));
  EXPECT_EQ(subscriber_.capabilities(), must(node.capabilities("inproc://t")));
}

TEST_F(HandlesTest, HandlesMayBeDestroyedInAnyOrder) {
  std::array<int, 6> order{0, 1, 2, 3, 4, 5};
  do {
    std::optional<Node> own = must(Node::open());
    std::optional<Publisher> sends = must(own->publisher("inproc://u"));
    std::optional<Subscriber> receives = must(own->subscriber("inproc://u"));
    must(sends->send(bytes("kept")));
    must(sends->send(bytes("unread")));
    std::optional<Sample> sample = must(receives->take());
    std::optional<Loan> loan = must(sends->loan(8));
    std::optional<Loan> other_loan = must(sends->loan(8));
    for (const int next : order) {
      switch (next) {
        case 0:
          own.reset();
          break;
        case 1:
          sends.reset();
          break;
        case 2:
          receives.reset();
          break;
        case 3:
          sample.reset();
          break;
        case 4:
          loan.reset();
          break;
        default:
          other_loan.reset();
      }
      if (sample) {
        ASSERT_EQ(text(sample->payload()), "kept");
      }
      if (loan) {
        loan->payload()[7] = std::byte{1};
      }
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

}  // namespace
}  // namespace weir
