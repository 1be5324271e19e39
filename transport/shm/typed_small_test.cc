// SmallPublisher and SmallSubscriber: the promises of the interface, without its indirections.
#include <array>
#include <cstdint>
#include <thread>

#include "transport/shm/small.h"
#include "transport/shm/test_topic.h"

namespace weir::shm::testing {

struct Quote {
  std::int64_t bid;
  std::int32_t size;
  char venue[7];
  friend bool operator==(const Quote&, const Quote&) = default;
};
struct Line {
  std::array<std::uint64_t, 8> words;
};

}  // namespace weir::shm::testing

template <>
struct weir::TypeName<weir::shm::testing::Quote> {
  static constexpr std::string_view value = "market.Quote";
};
template <>
struct weir::TypeName<weir::shm::testing::Line> {
  static constexpr std::string_view value = "test.Line";
};

namespace weir::shm::testing {
namespace {

constexpr Quote quote{.bid = 101, .size = 7, .venue = {'X', 'E', 'T', 'R', 'A', '!', '?'}};

class TypedSmall : public ::testing::Test {
 protected:
  const TopicRoot root_;            // NOLINT: for the bodies of the tests
  Node node_ = must(Node::open());  // NOLINT
};

TEST_F(TypedSmall, ValuesArriveWithTheirSequenceAndPublisher) {
  auto publisher = must(SmallPublisher<Quote>::open(node_, root_.uri()));
  auto subscriber = must(SmallSubscriber<Quote>::open(node_, root_.uri()));
  Small<Quote> received{};
  EXPECT_FALSE(must(subscriber.take(received)));
  for (std::uint64_t sequence = 0; sequence < 100; ++sequence) {
    Quote sent = quote;
    sent.bid += static_cast<std::int64_t>(sequence);
    EXPECT_EQ(must(publisher.publish(sent)), sequence);
    ASSERT_TRUE(must(subscriber.take(received)));
    EXPECT_EQ(received.value, sent);
    EXPECT_EQ(received.sequence, sequence);
    EXPECT_EQ(received.lost_before, 0U);
    EXPECT_EQ(received.publisher, publisher.untyped().id());
  }
}

TEST_F(TypedSmall, PeersOfTheInterfaceByUriSeeNoDifference) {
  auto publisher = must(SmallPublisher<Quote>::open(node_, root_.uri()));
  auto subscriber = must(SmallSubscriber<Quote>::open(node_, root_.uri()));
  auto other_publisher = must(TypedPublisher<Quote>::open(node_, root_.uri()));
  auto other_subscriber = must(TypedSubscriber<Quote>::open(node_, root_.uri()));
  must(publisher.publish(quote));
  must(other_publisher.send(quote));
  Small<Quote> received{};
  for (int times = 0; times < 2; ++times) {
    ASSERT_TRUE(must(subscriber.take(received)));
    EXPECT_EQ(received.value, quote);
    const auto sample = must(other_subscriber.take());
    ASSERT_TRUE(sample);
    EXPECT_EQ(*sample, quote);
    EXPECT_GT(sample.untyped().publish_time().time_since_epoch().count(), 0);
  }
}

TEST_F(TypedSmall, ALossIsCountedExactly) {
  auto publisher = must(SmallPublisher<Quote>::open(node_, root_.uri("depth=4")));
  auto subscriber = must(SmallSubscriber<Quote>::open(node_, root_.uri("depth=4")));
  for (int sent = 0; sent < 1000; ++sent) {
    must(publisher.publish(quote));
  }
  Small<Quote> received{};
  ASSERT_TRUE(must(subscriber.take(received)));
  EXPECT_EQ(received.sequence, 996U);
  EXPECT_EQ(received.lost_before, 996U);
  ASSERT_TRUE(must(subscriber.take(received)));
  EXPECT_EQ(received.lost_before, 0U);
}

TEST_F(TypedSmall, ALosslessStreamArrivesWholeAndInOrder) {
  constexpr std::uint64_t count = 50'000;
  for (const char* const options :
       {"grant=block&deadline=60s&policy=lossless&depth=31", "grant=block&deadline=60s&policy=lossless&depth=1"}) {
    auto publisher = must(SmallPublisher<Line>::open(node_, root_.uri(options)));
    auto subscriber = must(SmallSubscriber<Line>::open(node_, root_.uri(options)));
    std::jthread sender([&] {
      for (std::uint64_t number = 0; number < count; ++number) {
        Line line{};
        line.words.fill(number);
        must(publisher.publish(line));
      }
    });
    Small<Line> received{};
    for (std::uint64_t number = 0; number < count;) {
      if (!must(subscriber.take(received))) {
        ASSERT_EQ(must(subscriber.untyped().wait(after(std::chrono::minutes(1)))), Wake::ready);
        continue;
      }
      ASSERT_EQ(received.sequence, number);
      ASSERT_EQ(received.value.words.front(), number);
      ASSERT_EQ(received.value.words.back(), number);
      ++number;
    }
  }
}

TEST_F(TypedSmall, BackPressureIsAnErrorAndSpendsNoSequence) {
  const std::string uri = root_.uri("grant=reject&policy=lossless&depth=2");
  auto publisher = must(SmallPublisher<Quote>::open(node_, uri));
  auto subscriber = must(SmallSubscriber<Quote>::open(node_, uri));
  must(publisher.publish(quote));
  must(publisher.publish(quote));
  for (int times = 0; times < 100; ++times) {
    const auto refused = publisher.publish(quote);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::back_pressure);
  }
  Small<Quote> received{};
  ASSERT_TRUE(must(subscriber.take(received)));
  EXPECT_EQ(must(publisher.publish(quote)), 2U);
}

TEST_F(TypedSmall, ASampleOfAnotherSizeIsAnErrorThatSaysSoAndIsPassedOver) {
  auto subscriber = must(SmallSubscriber<Quote>::open(node_, root_.uri()));
  Publisher stranger = must(node_.publisher(root_.uri()));
  must(send(stranger, 5, 1));
  must(send(stranger, 5000, 1));
  must(stranger.send(std::as_bytes(std::span(&quote, 1))));
  Small<Quote> received{};
  for (const char* const size : {"5 bytes", "5000 bytes"}) {
    const auto taken = subscriber.take(received);
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code(), ErrorCode::incompatible);
    EXPECT_NE(taken.error().message().find(size), std::string::npos) << taken.error().message();
  }
  ASSERT_TRUE(must(subscriber.take(received)));
  EXPECT_EQ(received.value, quote);
}

TEST_F(TypedSmall, AnotherBackendIsRefused) {
  for (const bool publishes : {true, false}) {
    const Error error = publishes ? SmallPublisher<Quote>::open(node_, "inproc://quotes").error()
                                  : SmallSubscriber<Quote>::open(node_, "inproc://quotes").error();
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_NE(error.message().find("inproc://quotes"), std::string::npos);
  }
}

TEST_F(TypedSmall, HandlesThatWereMovedFromOrInheritedSaySo) {
  auto publisher = must(SmallPublisher<Quote>::open(node_, root_.uri()));
  auto subscriber = must(SmallSubscriber<Quote>::open(node_, root_.uri()));
  Child child([&] {
    Small<Quote> received{};
    return publisher.publish(quote).error().code() == ErrorCode::forked &&
           subscriber.take(received).error().code() == ErrorCode::forked;
  });
  EXPECT_TRUE(child.succeeded());
  auto moved_publisher = std::move(publisher);
  auto moved_subscriber = std::move(subscriber);
  Small<Quote> received{};
  EXPECT_EQ(publisher.publish(quote).error().code(), ErrorCode::closed);   // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(subscriber.take(received).error().code(), ErrorCode::closed);  // NOLINT(bugprone-use-after-move)
  must(moved_publisher.publish(quote));
  EXPECT_TRUE(must(moved_subscriber.take(received)));
}

TEST_F(TypedSmall, WithoutPublishTimeASampleSaysNone) {
  auto publisher = must(SmallPublisher<Quote>::open(node_, root_.uri("publish_time=no")));
  Subscriber subscriber = must(node_.subscriber(root_.uri()));
  must(publisher.publish(quote));
  must(send(publisher.untyped(), 5000, 1));
  for (int times = 0; times < 2; ++times) {
    const Sample sample = must(subscriber.take());
    EXPECT_EQ(sample.publish_time(), std::chrono::steady_clock::time_point());
  }
  const auto wrong = node_.publisher(root_.uri("publish_time=maybe"));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code(), ErrorCode::invalid_argument);
  EXPECT_NE(wrong.error().message().find("publish_time=maybe"), std::string::npos);
}

}  // namespace
}  // namespace weir::shm::testing
