// The option `memory` bounds what a publisher's messages take, wherever they are; and memory that is refused, at
// whatever point, leaves everything as it was.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transport/inproc/test_support.h"
#include "transport/testing/scarce_memory.h"

namespace weir {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing_support::bytes;
using testing_support::fails;
using testing_support::must;
using testing_support::take_all;
using testing_support::text;

class MemoryTest : public testing_support::InprocTest {
 protected:
  template <class Call>
  static int fail_each_allocation(Call call) {
    return testing::fail_each_allocation(call, [](auto result, bool had_failure) {
      EXPECT_FALSE(had_failure) << "it got by without";
      must(std::move(result));
    });
  }
};

TEST_F(MemoryTest, LoansTakePayloadAndHeaderUntilDropped) {
  Publisher publisher = must(node.publisher("inproc://t?memory=100"));
  Loan loan = must(publisher.loan(50, 10));
  EXPECT_TRUE(fails(publisher.loan(40, 1), ErrorCode::resource_exhausted, {"\"t\"", "memory=100", "40", "60"}));
  const Loan smaller = must(publisher.loan(40));
  EXPECT_TRUE(fails(publisher.loan(1), ErrorCode::resource_exhausted));
  must(publisher.loan(0));
  EXPECT_TRUE(fails(publisher.loan(100, 1), ErrorCode::limit_exceeded, {"memory=100", "100"})) << "never fits";
  loan.drop();
  must(publisher.loan(60));
}

TEST_F(MemoryTest, QueuesHistoryAndSamplesInHandCount) {
  Publisher publisher = must(node.publisher("inproc://t?memory=100&history=1"));
  Subscriber subscriber = must(node.subscriber("inproc://t"));
  const std::string half(50, 'x');
  must(publisher.send(bytes(half)));
  must(publisher.send(bytes(half)));
  EXPECT_TRUE(fails(publisher.send(bytes("x")), ErrorCode::resource_exhausted, {"memory=100"})) << "two are queued";
  Sample first = must(subscriber.take());
  EXPECT_TRUE(fails(publisher.send(bytes("x")), ErrorCode::resource_exhausted)) << "one is in hand";
  first.release();
  const Loan half_again = must(publisher.loan(50));
  must(subscriber.take());
  EXPECT_TRUE(fails(publisher.send(bytes("x")), ErrorCode::resource_exhausted)) << "one is history";
}

TEST_F(MemoryTest, OtherPublishersHaveMemoryOfTheirOwn) {
  Publisher full = must(node.publisher("inproc://t?memory=10"));
  Publisher other = must(node.publisher("inproc://t?memory=10"));
  const Loan all = must(full.loan(10));
  must(other.loan(10));
}

TEST_F(MemoryTest, SamplesOfADepartedPublisherAreStillReadableAndFreed) {
  std::optional<Publisher> publisher = must(node.publisher("inproc://t?memory=10"));
  Subscriber subscriber = must(node.subscriber("inproc://t"));
  must(publisher->send(bytes("0123456789")));
  publisher.reset();
  const Sample sample = must(subscriber.take());
  EXPECT_EQ(text(sample.payload()), "0123456789");
}

TEST_F(MemoryTest, SizesThatNoMachineHasAreErrorsAndDoNotOverflow) {
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  Publisher publisher = must(node.publisher("inproc://t", {.max_payload = most, .memory = most}));
  EXPECT_TRUE(fails(publisher.loan(most, 1), ErrorCode::limit_exceeded, {"memory"}));
  EXPECT_TRUE(fails(publisher.loan(most / 2), ErrorCode::resource_exhausted));
  must(publisher.loan(8));
}

// A queue allocates at every so many samples only, so publish and take are tried with many numbers of samples before.
constexpr int beyond_a_queue_block = 70;

TEST_F(MemoryTest, PublishThatFailsReachesNobodySpendsNoNumberAndKeepsTheLoan) {
  int failed = 0;
  for (int before = 0; before < beyond_a_queue_block; ++before) {
    Publisher publisher = must(node.publisher("inproc://t?history=255"));
    Subscriber one = must(node.subscriber("inproc://t?depth=255"));
    Subscriber two = must(node.subscriber("inproc://t?depth=255"));
    for (int count = 0; count < before; ++count) {
      must(publisher.send({}));
    }
    // So that the queues of the two, and the history, do not need memory at the same sample.
    for (int count = 0; count < before % 3; ++count) {
      must(one.take());
    }
    Loan loan = must(publisher.loan(0));
    failed += fail_each_allocation([&] { return loan.publish(); });
    EXPECT_FALSE(loan);
    EXPECT_EQ(must(publisher.send({})), static_cast<std::uint64_t>(before) + 1);
    EXPECT_EQ(take_all(one).size(), static_cast<std::size_t>(before - before % 3 + 2));
    EXPECT_EQ(take_all(two).size(), static_cast<std::size_t>(before + 2));
    Subscriber late = must(node.subscriber("inproc://t?depth=255&history=255"));
    EXPECT_EQ(take_all(late).size(), static_cast<std::size_t>(before + 2));
  }
  EXPECT_GE(failed, 3) << "the test did not reach the allocations that it is about";
}

TEST_F(MemoryTest, TakeThatFailsLosesNothing) {
  Publisher publisher = must(node.publisher("inproc://t"));
  Subscriber subscriber = must(node.subscriber("inproc://t"));
  must(publisher.send(bytes("a")));
  must(publisher.send(bytes("b")));
  EXPECT_GE(fail_each_allocation([&] { return subscriber.take(); }), 1);
  EXPECT_THAT(take_all(subscriber), ElementsAre("b"));
}

TEST_F(MemoryTest, LoanThatFailsTakesNothingFromTheLimits) {
  Publisher publisher = must(node.publisher("inproc://t?memory=10&loans=1"));
  EXPECT_GE(fail_each_allocation([&] { return publisher.loan(10); }), 3);
  const Loan loan = must(publisher.loan(10));
}

TEST_F(MemoryTest, JoinThatFailsLeavesNoTrace) {
  Publisher publisher = must(node.publisher("inproc://t?history=3&name=a-name-that-needs-memory-of-its-own"));
  must(publisher.send(bytes("a")));
  Subscriber subscriber = must(node.subscriber("inproc://t?name=another-name-that-needs-memory-of-its-own"));
  EXPECT_GE(fail_each_allocation([&] { return node.subscriber("inproc://t?history=3"); }), 5);
  EXPECT_GE(fail_each_allocation([&] { return node.publisher("inproc://t?history=3"); }), 5);
  EXPECT_GE(fail_each_allocation([&] { return node.publisher("inproc://u"); }), 5);
  EXPECT_EQ(must(node.topics("inproc://")).size(), 1U);
  EXPECT_EQ(must(publisher.peers()).size(), 1U);
  EXPECT_EQ(must(subscriber.peers()).size(), 1U);
  must(publisher.send(bytes("b")));
  EXPECT_THAT(take_all(subscriber), ElementsAre("b"));
}

TEST_F(MemoryTest, EventThatFailsIsReportedTheNextTime) {
  Publisher publisher = must(node.publisher("inproc://t"));
  Subscriber subscriber = must(node.subscriber("inproc://t?name=a-name-that-needs-memory-of-its-own"));
  EXPECT_GE(fail_each_allocation([&] { return publisher.next_event(); }), 1);
  EXPECT_FALSE(must(publisher.next_event()));
}

}  // namespace
}  // namespace weir
