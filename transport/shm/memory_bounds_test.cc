// How much memory a publisher takes, and that no subscriber can make it fail below its limit.
#include <signal.h>

#include <algorithm>
#include <vector>

#include "transport/shm/test_topic.h"

namespace weir::shm::testing {
namespace {

class MemoryBounds : public ::testing::Test {
 protected:
  // Publishes so many of this size; fails the test at the first that does not go.
  static void publish(Publisher& publisher, std::uint64_t count, std::size_t size) {
    for (std::uint64_t round = 0; round < count; ++round) {
      const Result<std::uint64_t> sequence = send(publisher, size, round);
      ASSERT_TRUE(sequence) << "round " << round << ": " << sequence.error().message();
    }
  }

  const TopicRoot root_;            // NOLINT: for the bodies of the tests
  Node node_ = must(Node::open());  // NOLINT
};

TEST_F(MemoryBounds, LargeMessagesToNobodyTakeNoMoreThanAHandful) {
  Publisher publisher = must(node_.publisher(root_.uri()));
  for (int round = 0; round < 1'000; ++round) {
    must(must(publisher.loan(mebibyte)).publish());
    ASSERT_LE(root_.chunk_bytes(), 8 * mebibyte);
  }
}

TEST_F(MemoryBounds, SubscriberThatNeverTakesHoldsNoMoreThanItsDepth) {
  constexpr std::uint64_t depth = 16;
  Publisher publisher = must(node_.publisher(root_.uri()));
  Subscriber subscriber = must(node_.subscriber(root_.uri(), {.depth = depth}));
  for (int round = 0; round < 10'000; ++round) {
    Loan loan = must(publisher.loan(mebibyte));
    fill(loan.payload().first(kibibyte), static_cast<std::uint64_t>(round));
    must(loan.publish());
    if (round % 100 == 0) {
      ASSERT_LE(root_.chunk_bytes(), (depth + 8) * mebibyte);
    }
  }
  const Sample oldest = must(subscriber.take());
  EXPECT_EQ(oldest.sequence(), 10'000 - depth);
  EXPECT_TRUE(is_filled(oldest.payload().first(kibibyte), oldest.sequence()));
}

TEST_F(MemoryBounds, WhatAKilledSubscriberHadNotReadIsLentAgain) {
  Publisher publisher = must(node_.publisher(root_.uri("memory=4MiB&depth=16")));
  Signal joined;
  Signal never_given;
  Child killed([&] {
    Subscriber subscriber = must(must(Node::open()).subscriber(root_.uri("depth=16")));
    joined.give();
    return never_given.await();
  });
  ASSERT_TRUE(joined.await());
  must(publisher.wait_for_subscribers(1, after(std::chrono::minutes(1))));
  std::uint64_t sent = 0;
  while (send(publisher, mebibyte - 64, sent)) {
    ASSERT_LT(++sent, 16U) << "it never held anything back";
  }
  killed.kill_and_reap();
  publish(publisher, 20, mebibyte - 64);
}

TEST_F(MemoryBounds, ALoanOfNearlyAllTheBytesThereAreIsRefused) {
  Publisher publisher = must(node_.publisher(root_.uri("max_payload=18446744073709551615")));
  for (const std::size_t header : {0, 8, 65536}) {
    const Result<Loan> loan = publisher.loan(~std::size_t{0} - 7, header);
    ASSERT_FALSE(loan) << header;
    EXPECT_EQ(loan.error().code(), ErrorCode::limit_exceeded) << loan.error().message();
  }
}

TEST_F(MemoryBounds, MoreThanAProcessCanAddressIsRefusedByName) {
  must(node_.publisher(root_.uri("memory=35184372088832")));
  for (const std::string memory : {"memory=35184372088833", "memory=18446744073709551615"}) {
    const Result<Publisher> publisher = node_.publisher(root_.uri(memory));
    ASSERT_FALSE(publisher);
    EXPECT_EQ(publisher.error().code(), ErrorCode::limit_exceeded);
    EXPECT_NE(publisher.error().message().find(memory), std::string::npos) << publisher.error().message();
  }
}

TEST_F(MemoryBounds, MoreLoansThanMakeSenseAreRefusedByName) {
  const Result<Publisher> publisher = node_.publisher(root_.uri("loans=65537"));
  ASSERT_FALSE(publisher);
  EXPECT_EQ(publisher.error().code(), ErrorCode::unsupported);
  EXPECT_NE(publisher.error().message().find("65537"), std::string::npos) << publisher.error().message();
}

TEST_F(MemoryBounds, StoppedSubscriberHoldsNoMoreThanItsDepth) {
  constexpr std::uint64_t depth = 16;
  Signal joined;
  Child stopped([&] {
    Subscriber subscriber = must(must(Node::open()).subscriber(root_.uri(), {.depth = depth}));
    joined.give();
    return must(subscriber.wait(never)) == Wake::ready;
  });
  ASSERT_TRUE(joined.await());
  ASSERT_EQ(kill(stopped.pid(), SIGSTOP), 0);
  Publisher publisher = must(node_.publisher(root_.uri()));
  must(publisher.wait_for_subscribers(1, after(std::chrono::minutes(1))));
  for (int round = 0; round < 10'000; ++round) {
    must(must(publisher.loan(mebibyte)).publish());
  }
  EXPECT_LE(root_.chunk_bytes(), (depth + 8) * mebibyte);
  ASSERT_EQ(kill(stopped.pid(), SIGCONT), 0);
  EXPECT_TRUE(stopped.succeeded());
}

TEST_F(MemoryBounds, MemoryOptionIsNeverExceeded) {
  constexpr std::uint64_t memory = 4 * mebibyte;
  Publisher publisher = must(node_.publisher(root_.uri(), {.memory = memory}));
  Subscriber subscriber = must(node_.subscriber(root_.uri(), {.depth = 100}));
  std::uint64_t refused = 0;
  for (std::size_t round = 0; round < 2'000; ++round) {
    const std::size_t size = (round * 7'919) % (600 * kibibyte);
    const Result<std::uint64_t> sequence = send(publisher, size, round);
    if (!sequence) {
      ++refused;
      ASSERT_EQ(sequence.error().code(), ErrorCode::resource_exhausted) << sequence.error().message();
      EXPECT_NE(sequence.error().message().find("memory="), std::string::npos) << sequence.error().message();
      EXPECT_NE(sequence.error().message().find("camera/front"), std::string::npos) << sequence.error().message();
      drain(subscriber);
    }
    ASSERT_LE(root_.chunk_bytes(), memory) << "in round " << round;
  }
  EXPECT_GT(refused, 0U) << "the limit was never met";
}

// depth unread ones, everything in hand, and the one that is being written: that much memory must do.
TEST_F(MemoryBounds, HoardingSubscribersNeverMakeALoanFailBelowTheLimit) {
  constexpr std::uint64_t depth = 4;
  constexpr std::uint64_t held = 6;
  constexpr std::uint64_t hoarders = 3;
  constexpr std::uint64_t needed = depth + hoarders * held + 1;
  Publisher publisher = must(node_.publisher(root_.uri(), {.memory = needed * mebibyte}));
  std::vector<Subscriber> subscribers;
  std::vector<std::vector<std::pair<Sample, std::uint64_t>>> hoards(hoarders);
  for (std::uint64_t index = 0; index < hoarders; ++index) {
    subscribers.push_back(must(node_.subscriber(root_.uri(), {.depth = depth, .held = held})));
  }
  for (std::uint64_t round = 0; round < 500; ++round) {
    const Result<std::uint64_t> sequence = send(publisher, mebibyte, round);
    ASSERT_TRUE(sequence) << "round " << round << ": " << sequence.error().message();
    for (std::uint64_t index = 0; index < hoarders; ++index) {
      // Each at a pace of its own, so that between them they hold as many different ones as they can.
      auto& hoard = hoards[index];
      if (round % (held * hoarders) == index * held && hoard.size() == held) {
        hoard.clear();
      }
      while (hoard.size() < held) {
        Sample sample = must(subscribers[index].take());
        if (!sample) {
          break;
        }
        const std::uint64_t seed = sample.sequence();
        hoard.emplace_back(std::move(sample), seed);
      }
    }
  }
  for (const auto& hoard : hoards) {
    for (const auto& [sample, seed] : hoard) {
      EXPECT_TRUE(is_filled(sample.payload(), seed)) << seed;
    }
  }
}

TEST_F(MemoryBounds, SamplesOfAnotherPublisherDoNotHoldOnesOwnMemory) {
  constexpr std::uint64_t depth = 2;
  const PublisherOptions options{.memory = 4 * mebibyte};
  Publisher one = must(node_.publisher(root_.uri(), options));
  Publisher other = must(node_.publisher(root_.uri(), options));
  Subscriber subscriber = must(node_.subscriber(root_.uri(), {.depth = depth}));
  std::vector<Sample> held;
  for (int count = 0; count < 4; ++count) {
    must(send(other, mebibyte, 0));
    held.push_back(must(subscriber.take()));
    ASSERT_TRUE(held.back());
  }
  for (std::uint64_t round = 0; round < 20; ++round) {
    const Result<std::uint64_t> sequence = send(one, mebibyte, round);
    ASSERT_TRUE(sequence) << "nobody holds a sample of this publisher, round " << round << ": "
                          << sequence.error().message();
    drain(subscriber);
  }
}

TEST_F(MemoryBounds, SmallMessagesOnceSentLeaveTheMemoryToLargeOnes) {
  Publisher publisher = must(node_.publisher(root_.uri(), {.depth = 1'000, .memory = mebibyte}));
  publish(publisher, 3'000, 2'000);  // fills the ring, and the memory with it
  EXPECT_TRUE(send(publisher, 600 * kibibyte, 0));
  publish(publisher, 3'000, 2'000);
}

TEST_F(MemoryBounds, LargeMessagesOnceSentLeaveTheMemoryToSmallOnes) {
  Publisher publisher = must(node_.publisher(root_.uri(), {.depth = 100, .memory = mebibyte}));
  publish(publisher, 10, 900 * kibibyte);
  publish(publisher, 1'000, 2'000);
  publish(publisher, 10, 500 * kibibyte);
}

// A chunk of a size class is twice as large as the smallest message in it; memory is counted in what messages need.
TEST_F(MemoryBounds, MessagesJustAboveAPowerOfTwoDoNotTakeTwiceTheLimit) {
  constexpr std::uint64_t open = 4;
  constexpr std::size_t size = mebibyte + 4 * kibibyte;
  Publisher publisher = must(node_.publisher(root_.uri(), {.memory = open * size}));
  std::vector<Loan> loans;
  for (std::uint64_t count = 0; count < open; ++count) {
    Result<Loan> loan = publisher.loan(size);
    ASSERT_TRUE(loan) << count << ": " << loan.error().message();
    loans.push_back(std::move(*loan));
  }
}

TEST_F(MemoryBounds, WhatAKilledSubscriberHeldIsReclaimed) {
  constexpr std::uint64_t held = 6;
  Publisher publisher = must(node_.publisher(root_.uri(), {.memory = 8 * mebibyte}));
  Signal hoarding;
  Signal never_given;
  Child hoarder([&] {
    Node node = must(Node::open());
    Subscriber subscriber = must(node.subscriber(root_.uri(), {.depth = 1}));
    std::vector<Sample> samples;
    hoarding.give();
    for (std::uint64_t count = 0; count < held; ++count) {
      samples.push_back(next_sample(subscriber));
      hoarding.give();
    }
    return never_given.await();
  });
  ASSERT_TRUE(hoarding.await());
  for (std::uint64_t round = 0; round < held; ++round) {
    must(send(publisher, mebibyte, round));
    ASSERT_TRUE(hoarding.await());
  }
  // Six in hand and one unread: the eighth is lent, and nothing is left for a ninth.
  must(send(publisher, mebibyte, held));
  {
    const Loan last = must(publisher.loan(mebibyte));
    ASSERT_FALSE(publisher.loan(mebibyte)) << "the memory was to be used up";
  }
  hoarder.kill_and_reap();
  for (std::uint64_t round = 0; round < 20; ++round) {
    std::vector<Loan> loans;
    for (int count = 0; count < 8; ++count) {
      Result<Loan> loan = publisher.loan(mebibyte);
      ASSERT_TRUE(loan) << count << ": " << loan.error().message();
      loans.push_back(std::move(*loan));
    }
    must(loans.back().publish());
  }
}

}  // namespace
}  // namespace weir::shm::testing
