// What becomes of publishers and subscribers at the high-water mark.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "adapters/zeromq/test_support.h"

namespace weir::zeromq {
namespace {

using namespace testing_support;
using namespace std::chrono_literals;

// More than the buffers of the kernel and both queues take.
constexpr std::size_t kilobyte = 1024;
constexpr std::uint64_t many = 20'000;

class SlowSubscriber : public ::testing::Test {
 protected:
  // Publishes until it is held back for good: until ZeroMQ's threads move nothing any more. Returns how many.
  static std::uint64_t fill(Publisher& publisher) {
    const std::vector<std::byte> message(kilobyte);
    std::uint64_t sent = 0;
    while (true) {
      while (publisher.send(message)) ++sent;
      if (must(publisher.wait(after(300ms))) == Wake::deadline) return sent;
    }
  }

  const ShortDirectory directory_;
  const std::string feed_ = "zmq+" + directory_.ipc("feed");
  Node node_ = must(Node::open());
};

TEST_F(SlowSubscriber, DroppingLosesTheNewestAndEnvelopesAnnounceItExactly) {
  const std::string uri = feed_ + "?depth=10&policy=drop_newest&envelope=1";
  Subscriber subscriber = must(node_.subscriber(uri));
  Publisher publisher = must(node_.publisher(uri));
  must(publisher.wait_for_subscribers(1, soon()));
  const std::vector<std::byte> message(kilobyte);
  for (std::uint64_t number = 0; number < many; ++number) EXPECT_EQ(must(publisher.send(message)), number);
  std::uint64_t next_sequence = 0;
  std::uint64_t received = 0;
  const auto account = [&](const Sample& sample) {
    ASSERT_EQ(sample.sequence(), next_sequence + sample.lost_before());
    next_sequence = sample.sequence() + 1;
    ++received;
  };
  account(next(subscriber));
  EXPECT_EQ(next_sequence, 1U) << "what is dropped is the newest: the first is there";
  // More are sent until one comes through behind the losses.
  for (std::uint64_t number = many; next_sequence <= many; ++number) {
    must(publisher.send(message));
    must(subscriber.wait(after(50ms)));
    for (Sample sample = must(subscriber.take()); sample; sample = must(subscriber.take())) account(sample);
    ASSERT_LT(number, 2 * many);
  }
  EXPECT_GE(received, 10U) << "depth is a lower bound";
  EXPECT_LT(received, many);
}

TEST_F(SlowSubscriber, DepthSamplesAreKeptWheneverTheSubscriberHasTakenAll) {
  for (const std::uint64_t depth : {1U, 2U, 5U, 16U, 100U}) {
    const std::string uri = fmt::format("{}{}?depth={}&envelope=1", feed_, depth, depth);
    Subscriber subscriber = must(node_.subscriber(uri));
    Publisher publisher = must(node_.publisher(uri));
    must(publisher.wait_for_subscribers(1, soon()));
    for (std::uint64_t round = 0; round < 100; ++round) {
      for (std::uint64_t number = 0; number < depth; ++number) must(publisher.send({}));
      for (std::uint64_t number = 0; number < depth; ++number) {
        const Sample sample = next(subscriber);
        ASSERT_EQ(sample.sequence(), round * depth + number) << "depth " << depth;
      }
    }
  }
}

TEST_F(SlowSubscriber, RejectRefusesAndLosesNothing) {
  const std::string uri = feed_ + "?depth=10&policy=lossless&grant=reject&envelope=1";
  Subscriber subscriber = must(node_.subscriber(uri));
  Publisher publisher = must(node_.publisher(uri));
  must(publisher.wait_for_subscribers(1, soon()));
  const std::uint64_t accepted = fill(publisher);
  EXPECT_GE(accepted, 10U);
  Loan loan = must(publisher.loan(kilobyte));
  std::memset(loan.payload().data(), 7, kilobyte);
  EXPECT_TRUE(fails(loan.publish(), ErrorCode::back_pressure, {"feed", "depth=10"}));
  EXPECT_TRUE(loan) << "the loan stays valid";
  EXPECT_EQ(loan.payload()[kilobyte - 1], std::byte{7});
  for (std::uint64_t number = 0; number < accepted; ++number) {
    const Sample sample = next(subscriber);
    ASSERT_EQ(sample.sequence(), number);
    ASSERT_EQ(sample.lost_before(), 0U);
  }
  ASSERT_EQ(must(publisher.wait(soon())), Wake::ready);
  EXPECT_EQ(must(loan.publish()), accepted) << "a refused publish spends no number";
  const Sample sample = next(subscriber);
  EXPECT_EQ(sample.sequence(), accepted);
  EXPECT_EQ(sample.payload()[kilobyte - 1], std::byte{7});
}

TEST_F(SlowSubscriber, BlockWaitsForSpaceOrItsDeadline) {
  const std::string uri = feed_ + "?depth=10&policy=lossless&grant=block&deadline=20ms&envelope=1";
  Subscriber subscriber = must(node_.subscriber(uri));
  Publisher publisher = must(node_.publisher(uri));
  must(publisher.wait_for_subscribers(1, soon()));
  const std::uint64_t accepted = fill(publisher);
  for (const auto deadline : {20ms, 60ms}) {
    Loan loan = must(publisher.loan(kilobyte));
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_TRUE(fails(deadline == 20ms ? loan.publish() : loan.publish(after(deadline)), ErrorCode::back_pressure));
    EXPECT_GE(std::chrono::steady_clock::now() - begin, deadline);
  }
  std::jthread taker([&] {
    for (std::uint64_t number = 0; number <= accepted; ++number) EXPECT_EQ(next(subscriber).sequence(), number);
  });
  Loan loan = must(publisher.loan(kilobyte));
  EXPECT_EQ(must(loan.publish(never)), accepted);
}

// XPUB_NODROP is an option of the socket: one slow subscriber holds everybody's publisher back, whatever it asked for.
TEST_F(SlowSubscriber, AGrantHoldsForTheWholeSocketAndTheSlowOnesEndFreesIt) {
  const std::string uri = feed_ + "?depth=10&grant=reject";
  Publisher publisher = must(node_.publisher(uri));
  std::optional<Subscriber> stopped = must(node_.subscriber(uri + "&policy=drop_newest"));
  Subscriber fast = must(node_.subscriber(uri + "&policy=lossless"));
  must(publisher.wait_for_subscribers(2, soon()));
  std::atomic<std::uint64_t> taken{0};
  std::jthread taker([&](const std::stop_token& stop) {
    while (must(fast.wait(never, stop)) != Wake::interrupted) {
      while (must(fast.take())) ++taken;
    }
  });
  const std::uint64_t accepted = fill(publisher);
  EXPECT_TRUE(fails(publisher.send({}), ErrorCode::back_pressure));
  stopped.reset();
  ASSERT_EQ(must(publisher.wait(soon())), Wake::ready);
  for (std::uint64_t number = 0; number < 10; ++number) {
    while (!publisher.send({})) must(publisher.wait(soon()));
  }
  taker.request_stop();
  taker.join();
  while (taken < accepted + 10) {
    static_cast<void>(next(fast));
    ++taken;
  }
}

TEST_F(SlowSubscriber, LargeMessagesCountAgainstMemoryUntilTheyAreSent) {
  constexpr std::size_t megabyte = 1U << 20U;
  const std::string uri = feed_ + "?depth=100&memory=8500KiB&grant=reject";
  Subscriber subscriber = must(node_.subscriber(uri));
  Publisher publisher = must(node_.publisher(uri));
  must(publisher.wait_for_subscribers(1, soon()));
  const std::vector<std::byte> message(megabyte);
  std::uint64_t sent = 0;
  Result<std::uint64_t> refused = publisher.send(message);
  for (; refused && sent < 1000; ++sent) refused = publisher.send(message);
  EXPECT_TRUE(fails(refused, ErrorCode::resource_exhausted, {"memory=8704000"}));
  EXPECT_GE(sent, 7U);
  must(publisher.send(bytes("small messages still work")));
  for (std::uint64_t number = 0; number < sent; ++number) EXPECT_EQ(next(subscriber).payload().size(), megabyte);
  EXPECT_EQ(text(next(subscriber).payload()), "small messages still work");
}

}  // namespace
}  // namespace weir::zeromq
