// A process that runs out of memory: every call works, or says so and works the next time. Nothing is lost by it, and
// nothing is held for ever.
#include "transport/testing/scarce_memory.h"

#include <unistd.h>

#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include "transport/shm/test_topic.h"

namespace weir::shm::testing {
namespace {

using weir::testing::fail_each_allocation;

class ScarceMemory : public ::testing::Test {
 protected:
  // One change has happened. It is told, once, and shown until then, though an allocation of the first look fails.
  // Whether one did.
  template <class Watcher>
  bool tells(Watcher& watcher, Change change, int failing) {
    weir::testing::allocations_left = failing;
    const auto first = watcher.next_event();
    const bool had_failure = weir::testing::allocations_left < 0;
    weir::testing::allocations_left = -1;
    std::vector<Change> told;
    if (first && *first) {
      told.push_back((*first)->change);
    } else {
      EXPECT_TRUE(is_readable(must(watcher.fd()), 0)) << "nothing shows the event";
    }
    while (const auto event = must(watcher.next_event())) {
      told.push_back(event->change);
    }
    EXPECT_EQ(told, std::vector<Change>{change});
    return had_failure;
  }

  // Of one that comes and goes, and of one that comes and dies. `join(node)` makes it.
  template <class Watch, class Join>
  void expect_all_told(Watch watch, Join join) {
    bool had_failure = true;
    for (int failing = 0; had_failure; ++failing) {
      SCOPED_TRACE(failing);
      auto watcher = watch();
      must(watcher.fd());
      {
        const auto member = join(node_);
        had_failure = tells(watcher, Change::joined, failing);  // and begins to record
      }
      had_failure |= tells(watcher, Change::left, failing);
      Signal joined;
      Child child([&] {
        const auto member = join(node_);
        joined.give();
        return pause() == 0;
      });
      ASSERT_TRUE(joined.await());
      had_failure |= tells(watcher, Change::joined, failing);
      child.kill_and_reap();
      had_failure |= tells(watcher, Change::died, failing);
    }
  }

  const TopicRoot root_;            // NOLINT: for the bodies of the tests
  Node node_ = must(Node::open());  // NOLINT
};

TEST_F(ScarceMemory, LettingGoOfPublishersThatEndedIsDoneTheNextTime) {
  bool had_failure = true;
  // All end anew for each allocation: a failure that is got by without lets go of all.
  for (int failing = 0; had_failure; ++failing) {
    SCOPED_TRACE(failing);
    Subscriber subscriber = must(node_.subscriber(root_.uri("depth=8")));
    Sample in_hand;
    {
      std::vector<Publisher> publishers;
      for (std::uint64_t seed = 0; seed < 3; ++seed) {
        publishers.push_back(must(node_.publisher(root_.uri("depth=8"))));
        must(send(publishers.back(), 5000, seed));
        Sample sample = next_sample(subscriber);
        if (seed == 1) in_hand = std::move(sample);
      }
    }
    weir::testing::allocations_left = failing;
    const Result<Sample> taken = subscriber.take();
    had_failure = weir::testing::allocations_left < 0;
    weir::testing::allocations_left = -1;
    if (!taken) {
      EXPECT_EQ(taken.error().code(), ErrorCode::resource_exhausted) << taken.error().message();
    }
    EXPECT_FALSE(must(subscriber.take()));
    EXPECT_TRUE(must(subscriber.peers()).empty());
    EXPECT_TRUE(is_filled(in_hand.payload(), 1));
    Publisher publisher = must(node_.publisher(root_.uri("depth=8")));
    must(send(publisher, 5000, 7));
    EXPECT_TRUE(is_filled(next_sample(subscriber).payload(), 7));
  }
}

TEST_F(ScarceMemory, NoEventIsLost) {
  const std::string named = root_.uri("name=one-whose-name-takes-memory");  // which each event has
  const auto publisher = [&](Node& node) { return must(node.publisher(named)); };
  const auto subscriber = [&](Node& node) { return must(node.subscriber(named)); };
  expect_all_told([&] { return publisher(node_); }, subscriber);
  expect_all_told([&] { return subscriber(node_); }, publisher);
}

TEST_F(ScarceMemory, DescriptorThatIsGivenOutInTheEndShowsEverything) {
  Publisher publisher = must(node_.publisher(root_.uri("depth=1&grant=reject")));
  Subscriber subscriber = must(node_.subscriber(root_.uri("depth=1&policy=lossless")));
  EXPECT_FALSE(must(subscriber.take()));
  int descriptor = -1;
  const auto keep = [&](Result<int> made, bool) { descriptor = must(std::move(made)); };
  EXPECT_GE(fail_each_allocation([&] { return subscriber.fd(); }, keep), 3);
  EXPECT_FALSE(is_readable(descriptor, 0));
  must(send(publisher, 64, 0));
  EXPECT_TRUE(is_readable(descriptor, 10'000)) << "the sample is not shown";

  EXPECT_FALSE(send(publisher, 64, 1));
  EXPECT_GE(fail_each_allocation([&] { return publisher.fd(); }, keep), 3);
  EXPECT_FALSE(is_readable(descriptor, 0));
  must(subscriber.take());
  EXPECT_TRUE(is_readable(descriptor, 10'000)) << "the space is not shown";
}

TEST_F(ScarceMemory, TakeThatFailsHoldsNothing) {
  Publisher publisher = must(node_.publisher(root_.uri("depth=8")));
  Subscriber subscriber = must(node_.subscriber(root_.uri("depth=8&held=1")));
  must(subscriber.take());
  must(send(publisher, 5000, 3));
  const int failed = fail_each_allocation(
      [&] { return subscriber.take(); },
      [](Result<Sample> taken, bool) { EXPECT_TRUE(is_filled(must(std::move(taken)).payload(), 3)); });
  EXPECT_GE(failed, 1);
}

TEST_F(ScarceMemory, LoanThatFailsTakesNothingFromWhatThereIs) {
  Publisher publisher = must(node_.publisher(root_.uri("depth=1&memory=64KiB")));
  int failed = 0;
  // Each size takes the memory away from the other, and has to find it again.
  for (int round = 0; round < 20; ++round) {
    for (const std::size_t size : {30'000, 60'000}) {
      failed += fail_each_allocation([&] { return publisher.loan(size); },
                                     [](Result<Loan> loan, bool) { must(std::move(loan)).drop(); });
    }
  }
  EXPECT_GE(failed, 40);
}

TEST_F(ScarceMemory, ShrinkingALoanTooFarIsRefusedAllTheSame) {
  Publisher publisher = must(node_.publisher(root_.uri()));
  Loan loan = must(publisher.loan(8));
  const int failed = fail_each_allocation(
      [&]() -> Result<ErrorCode> {
        const Status shrunk = loan.shrink(1000);
        if (shrunk) return failure(ErrorCode::internal, "memory did not grow");
        if (shrunk.error().code() == ErrorCode::resource_exhausted) return tl::unexpected(shrunk.error());
        return shrunk.error().code();
      },
      [](Result<ErrorCode> code, bool) { EXPECT_EQ(must(std::move(code)), ErrorCode::invalid_argument); });
  EXPECT_GE(failed, 1);
}

TEST_F(ScarceMemory, DurableMemberThatDoesNotFitIsRefusedAllTheSame) {
  const Publisher publisher = must(node_.publisher(root_.uri("depth=8")));
  const std::string unfit = root_.uri("depth=9&durability=persistent&name=reader");
  bool had_failure = true;
  for (int failing = 0; had_failure; ++failing) {
    weir::testing::allocations_left = failing;
    const Result<Subscriber> refused = node_.subscriber(unfit);
    had_failure = weir::testing::allocations_left < 0;
    weir::testing::allocations_left = -1;
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().code() == ErrorCode::incompatible ||
                (had_failure && refused.error().code() == ErrorCode::resource_exhausted))
        << refused.error().message();
    for (const std::string& name : root_.files()) {  // as if its owner had died, it stays
      if (name.starts_with("s.")) std::filesystem::remove(root_.directory() / name);
    }
  }
}

TEST_F(ScarceMemory, WhatWasInHandAtADeathIsToldInTheEnd) {
  const std::string reader = root_.uri("policy=lossless&depth=16&held=4&durability=persistent&name=reader");
  {
    Publisher publisher = must(node_.publisher(root_.uri("grant=block&depth=16")));
    Signal joined;
    Child child([&] {
      Subscriber subscriber = must(must(Node::open()).subscriber(reader));
      joined.give();
      std::vector<Sample> in_hand;
      for (int count = 0; count < 3; ++count) in_hand.push_back(next_sample(subscriber));
      return raise(SIGKILL) == 0;
    });
    ASSERT_TRUE(joined.await());
    for (std::uint64_t round = 0; round < 3; ++round) must(send(publisher, 64, round));
    EXPECT_FALSE(child.succeeded());
    Subscriber subscriber = must(node_.subscriber(reader));
    const int failed = fail_each_allocation(
        [&] { return subscriber.in_hand_at_death(); },
        [](Result<std::vector<InHand>> told, bool) { EXPECT_EQ(must(std::move(told)).size(), 3U); });
    EXPECT_GE(failed, 3);
  }
  must(node_.remove(root_.uri()));
}

}  // namespace
}  // namespace weir::shm::testing
