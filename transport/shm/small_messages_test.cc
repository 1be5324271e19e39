// Messages small enough to travel in the slot: the same promises as for those in chunks, on both sides of the border.
#include <atomic>
#include <thread>
#include <vector>

#include "transport/shm/layout.h"
#include "transport/shm/test_topic.h"

namespace weir::shm::testing {
namespace {

constexpr std::size_t sizes_around = carried_size + 10;

class SmallMessages : public ::testing::Test {
 protected:
  TopicRoot root_;
  Node node_ = must(Node::open());
};

TEST_F(SmallMessages, OfEverySizeArriveWholeFromOnePublisherAndFromTwo) {
  Publisher publisher = must(node_.publisher(root_.uri()));
  Subscriber subscriber = must(node_.subscriber(root_.uri()));
  const auto exchange = [&](std::size_t size) {
    must(send(publisher, size, size));
    const Sample sample = must(subscriber.take());
    ASSERT_TRUE(sample);
    ASSERT_EQ(sample.payload().size(), size);
    EXPECT_TRUE(sample.header().empty());
    EXPECT_EQ(sample.lost_before(), 0U);
    EXPECT_TRUE(is_filled(sample.payload(), size)) << size;
  };
  for (std::size_t size = 0; size <= sizes_around; ++size) {
    exchange(size);
  }
  const Publisher other = must(node_.publisher(root_.uri()));  // no short way for two
  for (std::size_t size = 0; size <= sizes_around; ++size) {
    exchange(size);
  }
}

TEST_F(SmallMessages, ShrunkAcrossTheBorderKeepTheirFirstBytes) {
  Publisher publisher = must(node_.publisher(root_.uri()));
  Subscriber subscriber = must(node_.subscriber(root_.uri()));
  for (const auto& [lent, sent] : {std::pair<std::size_t, std::size_t>{4096, 10}, {carried_size, 1}, {1, 0}}) {
    Loan loan = must(publisher.loan(lent));
    fill(loan.payload().first(sent), lent);
    must(loan.shrink(sent));
    must(loan.publish());
    const Sample sample = must(subscriber.take());
    ASSERT_EQ(sample.payload().size(), sent);
    EXPECT_TRUE(is_filled(sample.payload(), lent));
  }
}

TEST_F(SmallMessages, AreAlignedAsAskedFor) {
  Publisher publisher = must(node_.publisher(root_.uri()));
  Subscriber subscriber = must(node_.subscriber(root_.uri()));
  for (std::size_t alignment = 1; alignment <= 4096; alignment *= 2) {
    Loan loan = must(publisher.loan(8, 0, alignment));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(loan.payload().data()) % alignment, 0U);
    fill(loan.payload(), alignment);
    must(loan.publish());
    const Sample sample = must(subscriber.take());
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(sample.payload().data()) % alignment, 0U);
    EXPECT_TRUE(is_filled(sample.payload(), alignment));
  }
}

TEST_F(SmallMessages, AsManyAsTheLimitAreLentAtOnceAndDroppedOnesAreLentAgain) {
  constexpr std::size_t limit = 3;
  Publisher publisher = must(node_.publisher(root_.uri("loans=3")));
  Subscriber subscriber = must(node_.subscriber(root_.uri()));
  for (std::uint64_t round = 0; round < 5; ++round) {
    std::vector<Loan> loans;
    for (std::size_t count = 0; count < limit; ++count) {
      loans.push_back(must(publisher.loan(8)));
      fill(loans.back().payload(), 10 * round + count);
    }
    EXPECT_FALSE(publisher.loan(8));
    loans.front().drop();
    must(loans.back().publish());
    EXPECT_TRUE(is_filled(must(subscriber.take()).payload(), 10 * round + limit - 1));
    EXPECT_TRUE(is_filled(loans[1].payload(), 10 * round + 1)) << "another loan was given the same memory";
  }
}

TEST_F(SmallMessages, AStoreToOneChangesNobodyElsesMessage) {
  Publisher publisher = must(node_.publisher(root_.uri()));
  Subscriber scribbler = must(node_.subscriber(root_.uri()));
  Subscriber reader = must(node_.subscriber(root_.uri()));
  must(send(publisher, carried_size, 1));
  const Sample scribbled = must(scribbler.take());
  fill({const_cast<std::byte*>(scribbled.payload().data()), carried_size}, 2);
  EXPECT_TRUE(is_filled(must(reader.take()).payload(), 1));
}

TEST_F(SmallMessages, AreNeverTornByAPublisherThatOvertakesTheirReaders) {
  Publisher publisher = must(node_.publisher(root_.uri("depth=1")));  // two slots: it is soon round
  constexpr int reader_count = 2;
  std::atomic<int> reading = 0;
  std::atomic<bool> stop = false;
  const auto read = [&](Subscriber& subscriber) {
    std::uint64_t next = 0;
    while (!stop.load()) {
      const Sample sample = must(subscriber.take());
      if (!sample) {
        continue;
      }
      ASSERT_EQ(sample.sequence(), next + sample.lost_before());
      ASSERT_TRUE(is_filled(sample.payload(), sample.sequence())) << sample.sequence();
      reading += next == 0 ? 1 : 0;
      next = sample.sequence() + 1;
    }
  };
  std::vector<Subscriber> subscribers;
  for (int count = 0; count < reader_count; ++count) {
    subscribers.push_back(must(node_.subscriber(root_.uri("depth=1"))));
  }
  {
    std::vector<std::jthread> readers;
    for (Subscriber& subscriber : subscribers) {
      readers.emplace_back([&] { read(subscriber); });
    }
    for (std::uint64_t message = 0; message < 300'000 || reading.load() < reader_count; ++message) {
      must(send(publisher, 1 + message % carried_size, message));
    }
    stop.store(true);
  }
}

}  // namespace
}  // namespace weir::shm::testing
