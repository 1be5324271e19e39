// DATA: payloads and user headers arrive as they were sent, and last.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/harness/fixture.h"
#include "conformance/harness/message.h"

namespace weir::conformance {

using Data = ConformanceTest;

namespace {

constexpr std::uint64_t mebibyte = 1ULL << 20U;

std::vector<std::byte> pattern(std::size_t size) {
  std::vector<std::byte> bytes(size);
  write_message(bytes, {}, {.publisher = 1, .number = size});
  return bytes;
}

bool same(std::span<const std::byte> left, std::span<const std::byte> right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end());
}

// A publisher and a subscriber of this process that have met.
struct Pair {
  Pair(Node& node, const std::string& uri)
      : subscriber(must(node.subscriber(uri), "subscriber")), publisher(must(node.publisher(uri), "publisher")) {
    must(publisher.wait_for_subscribers(1, never), "wait_for_subscribers");
  }
  Subscriber subscriber;
  Publisher publisher;
};

}  // namespace

CONFORMANCE_TEST(Data, PayloadsOfEverySizeArriveWhole, "DATA-1") {
  const std::string topic = uri("topic", "depth=4");
  auto subscriber = peer("sink").subscriber(topic);
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(1);
  std::uint64_t sent = 0;
  for (const std::uint64_t around :
       {std::uint64_t{1}, std::uint64_t{8}, std::uint64_t{64}, std::uint64_t{128}, std::uint64_t{256},
        std::uint64_t{1024}, std::uint64_t{4096}, std::uint64_t{65536}, mebibyte, 3 * mebibyte}) {
    for (const std::uint64_t size : {around - 1, around, around + 1}) {
      publisher.publish({.size = size});
      EXPECT_EQ(subscriber.take_all(), 1U);
      EXPECT_EQ(subscriber.last_event(EventKind::taken).size, size);
      ++sent;
    }
  }
  EXPECT_EQ(subscriber.events(EventKind::taken).size(), sent);
  EXPECT_SOUND(check_sound(subscriber));
  // Without sequences, messages too small to be stamped do not say which they are.
  if (has(feature::sequence)) EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, sent));
}

CONFORMANCE_TEST(Data, ZeroBytesAreAMessage, "DATA-2") {
  const std::string topic = uri("topic", "depth=8");
  auto subscriber = peer("sink").subscriber(topic);
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(1);
  publisher.publish({.count = 5, .size = 0});
  EXPECT_EQ(subscriber.hold(3), 3U);
  EXPECT_EQ(subscriber.take_all(), 2U);
  EXPECT_EQ(subscriber.release(3), 3U);
  EXPECT_SOUND(check_sound(subscriber));
  if (has(feature::sequence)) EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, 5));
}

CONFORMANCE_TEST(Data, AQuarterOfAGibibyteArrivesWhole, "DATA-3") {
  const std::string topic = uri("topic", "depth=2");
  auto subscriber = peer("sink").subscriber(topic);
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(1);
  publisher.publish({.size = 256 * mebibyte});
  EXPECT_EQ(subscriber.receive({.next = 1}), 1U);  // a framework may still be carrying it
  publisher.publish({.size = 8});
  EXPECT_EQ(subscriber.take_all(), 1U);
  EXPECT_SOUND(check_sound(subscriber));
  EXPECT_EQ(subscriber.first_event(EventKind::taken).size, 256 * mebibyte);
}

CONFORMANCE_TEST(Data, MixedSizesArriveWholeWhileSomeAreHeld, "DATA-4") {
  const std::string topic = uri("topic", "depth=32");
  auto subscriber = peer("sink").subscriber(topic);
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(1);
  const std::uint64_t least = has(feature::sequence) ? 0 : stamp_size;  // so that each says which it is
  const std::uint64_t header = has(feature::user_header) ? 17 : 0;
  for (const std::uint64_t most : {std::uint64_t{100}, std::uint64_t{5000}, std::uint64_t{70'000}, mebibyte}) {
    for (int round = 0; round < 5; ++round) {
      publisher.publish({.count = 20, .size = least, .size_most = most, .header_size = round % 2 == 0 ? 0 : header});
      EXPECT_EQ(subscriber.hold(10), 10U);
      EXPECT_EQ(subscriber.take_all(), 10U);
      EXPECT_EQ(subscriber.release(10), 10U);
    }
  }
  EXPECT_SOUND(check_sound(subscriber));
  EXPECT_SOUND(check_origin(subscriber.events(), publisher.events()));
}

CONFORMANCE_TEST(Data, UserHeadersOfEverySizeArriveWhole, "DATA-5") {
  NEEDS(user_header);
  const std::string topic = uri("topic", "depth=4");
  auto subscriber = peer("sink").subscriber(topic);
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(1);
  std::uint64_t sent = 0;
  for (const std::uint64_t header : {0U, 1U, 7U, 8U, 9U, 64U, 1000U, 4096U, 65535U, 65536U}) {
    if (header > capabilities().max_header) continue;
    for (const std::uint64_t size : {0U, 1U, 64U, 5000U}) {
      publisher.publish({.size = size, .header_size = header});
      EXPECT_EQ(subscriber.take_all(), 1U);
      const Event taken = subscriber.last_event(EventKind::taken);
      EXPECT_EQ(taken.size, size);
      EXPECT_EQ(taken.header_size, header);
      ++sent;
    }
  }
  EXPECT_SOUND(check_sound(subscriber));
  EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, sent));
}

CONFORMANCE_TEST(Data, PayloadsAreAlignedAsAskedForOnBothSides, "DATA-6") {
  for (const std::uint64_t alignment : {8U, 16U, 64U, 256U, 4096U}) {
    for (const std::uint64_t header : {0U, 3U, 100U}) {
      if (header > 0 && !has(feature::user_header)) continue;
      const std::string topic = fresh_uri("depth=16");
      Pair pair(node(), topic);
      for (const std::size_t size : {1U, 40U, 64U, 5000U}) {
        Loan loan = must(pair.publisher.loan(size, header, alignment), "loan");
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(loan.payload().data()) % alignment, 0U) << size;
        must(loan.publish(), "publish");
        const Sample sample = must(pair.subscriber.take(), "take");
        ASSERT_TRUE(sample);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(sample.payload().data()) % alignment, 0U)
            << size << "+" << header << " bytes aligned to " << alignment;
      }
    }
  }
}

CONFORMANCE_TEST(Data, AlignmentHoldsInAnotherProcess, "DATA-6") {
  const std::string topic = uri("topic", "depth=16");
  auto subscriber = peer("sink").subscriber(topic);
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(1);
  publisher.publish({.count = 16, .size = 1, .size_most = 9000, .alignment = 4096});
  subscriber.receive({.next = 16, .alignment = 4096});
  EXPECT_SOUND(check_sound(subscriber));
}

CONFORMANCE_TEST(Data, AShrunkLoanArrivesShrunk, "DATA-7") {
  Pair pair(node(), uri("topic", "depth=8"));
  const auto bytes = pattern(5000);
  const auto header = has(feature::user_header) ? pattern(33) : std::vector<std::byte>();
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{4999}}) {
    Loan loan = must(pair.publisher.loan(5000, header.size()), "loan");
    std::copy(bytes.begin(), bytes.end(), loan.payload().begin());
    std::copy(header.begin(), header.end(), loan.header().begin());
    ASSERT_TRUE(loan.shrink(size));
    EXPECT_EQ(loan.payload().size(), size);
    must(loan.publish(), "publish");
    const Sample sample = must(pair.subscriber.take(), "take");
    ASSERT_TRUE(sample);
    EXPECT_TRUE(same(sample.payload(), std::span(bytes).first(size))) << size;
    EXPECT_TRUE(same(sample.header(), header)) << size;
  }
}

CONFORMANCE_TEST(Data, SendCopiesPayloadAndHeader, "DATA-8") {
  Pair pair(node(), uri("topic", "depth=8"));
  const auto header = has(feature::user_header) ? pattern(33) : std::vector<std::byte>();
  for (const std::size_t size : {0U, 1U, 100U, 100'000U}) {
    auto bytes = pattern(size);
    const auto before = bytes;
    must(pair.publisher.send(bytes, header), "send");
    std::fill(bytes.begin(), bytes.end(), std::byte{0});
    const Sample sample = must(pair.subscriber.take(), "take");
    ASSERT_TRUE(sample);
    EXPECT_TRUE(same(sample.payload(), before)) << size;
    EXPECT_TRUE(same(sample.header(), header)) << size;
  }
}

CONFORMANCE_TEST(Data, AMessageWithoutAHeaderHasNone, "DATA-9") {
  Pair pair(node(), uri("topic", "depth=8"));
  must(pair.publisher.send(pattern(10)), "send");
  EXPECT_TRUE(must_take(pair.subscriber).header().empty());
  EXPECT_TRUE(must(pair.publisher.loan(10), "loan").header().empty());
}

CONFORMANCE_TEST(Data, ASampleOutlivesSubscriberNodeAndPublisher, "DATA-10") {
  const auto bytes = pattern(20'000);
  std::vector<Sample> samples;
  {
    Node own = must(Node::open(), "opening a node");
    Pair pair(own, uri("topic", "depth=8"));
    for (int count = 0; count < 4; ++count) must(pair.publisher.send(bytes), "send");
    for (int count = 0; count < 4; ++count) samples.push_back(must(pair.subscriber.take(), "take"));
  }
  {
    // New users of the topic, who might take the place over.
    Pair other(node(), uri("topic", "depth=8"));
    for (int count = 0; count < 50; ++count) must(other.publisher.send(std::vector<std::byte>(20'000)), "send");
  }
  for (const Sample& sample : samples) {
    ASSERT_TRUE(sample);
    EXPECT_TRUE(same(sample.payload(), bytes));
  }
}

CONFORMANCE_TEST(Data, ASampleInHandOutlivesItsPublisherInAnotherProcess, "DATA-10") {
  const std::string topic = uri("topic", "depth=8");
  ScriptedPeer& source = peer("source");
  auto subscriber = peer("sink").subscriber(topic);
  const std::uint64_t least = has(feature::sequence) ? 1 : stamp_size;  // so that each says which it is
  for (int life = 0; life < 3; ++life) {
    auto publisher = source.publisher(topic);
    // A backend without threads of its own learns only in its subscriber's calls that a publisher has come.
    EXPECT_EQ(subscriber.take_all(), 0U);
    publisher.wait_for_subscribers(1);
    publisher.publish({.count = 5, .size = least, .size_most = 50'000});
    EXPECT_EQ(subscriber.hold(5), 5U);
    publisher.close();
  }
  subscriber.close_but_keep();
  peer("other").publisher(topic).publish({.count = 50, .size = 50'000});
  EXPECT_EQ(subscriber.release(15), 15U);
  EXPECT_SOUND(check_sound(subscriber));
}

CONFORMANCE_TEST(Data, UnreadSamplesSurviveACleanCloseOfTheirPublisher, "DATA-11") {
  NEEDS(survives_publisher);
  const std::string topic = uri("topic", "depth=8");
  ScriptedPeer& source = peer("source");
  auto subscriber = peer("sink").subscriber(topic);
  auto publisher = source.publisher(topic);
  publisher.wait_for_subscribers(1);
  publisher.publish({.count = 6, .size = 1, .size_most = 50'000});
  publisher.close();
  EXPECT_EQ(source.end(), "");
  EXPECT_EQ(subscriber.take_all(), 6U);
  EXPECT_SOUND(check_sound(subscriber));
  EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, 6));
}

CONFORMANCE_TEST(Data, SamplesMayBeReleasedOnAnyThread, "DATA-12") {
  constexpr int rounds = 200;
  const auto bytes = pattern(1000);
  Pair pair(node(), uri("topic", "depth=16&held=16"));
  for (int round = 0; round < rounds; ++round) {
    std::vector<Sample> samples;
    for (int count = 0; count < 8; ++count) must(pair.publisher.send(bytes), "send");
    for (int count = 0; count < 8; ++count) samples.push_back(must_take(pair.subscriber));
    std::vector<Sample> others(std::make_move_iterator(samples.begin() + 4), std::make_move_iterator(samples.end()));
    samples.resize(4);
    std::jthread elsewhere([&bytes, mine = std::move(others)]() mutable {
      for (const Sample& sample : mine) EXPECT_TRUE(same(sample.payload(), bytes));
      mine.clear();
    });
    samples.clear();  // at the same time here
  }
  EXPECT_FALSE(must(pair.subscriber.take(), "take"));
}

CONFORMANCE_TEST(Data, TheLastSampleMayOutliveItsSubscriberOnAnotherThread, "DATA-12") {
  for (int round = 0; round < 50; ++round) {
    std::optional<Pair> pair(std::in_place, node(), uri("topic", "depth=4"));
    must(pair->publisher.send(pattern(100)), "send");
    Sample sample = must_take(pair->subscriber);
    const std::jthread elsewhere([mine = std::move(sample)]() mutable { mine.release(); });
    pair.reset();  // while the other thread releases
  }
}

CONFORMANCE_TEST(Data, ALoanKeepsItsBytesWhateverOthersDo, "DATA-13") {
  Pair pair(node(), uri("topic", "depth=4"));
  const auto bytes = pattern(3000);
  std::vector<Loan> loans;
  for (int count = 0; count < 7; ++count) {
    loans.push_back(must(pair.publisher.loan(3000), "loan"));
    std::copy(bytes.begin(), bytes.end(), loans.back().payload().begin());
  }
  for (int count = 0; count < 100; ++count) must(pair.publisher.send(std::vector<std::byte>(3000)), "send");
  while (must(pair.subscriber.take(), "take")) {
  }
  // In another order than they were lent.
  for (const std::size_t at : {5U, 0U, 6U, 3U}) {
    EXPECT_TRUE(same(loans[at].payload(), bytes));
    must(loans[at].publish(), "publish");
    const Sample sample = must(pair.subscriber.take(), "take");
    ASSERT_TRUE(sample);
    EXPECT_TRUE(same(sample.payload(), bytes));
  }
}

CONFORMANCE_TEST(Data, DistinctHandlesMayBeUsedByDistinctThreads, "DATA-14") {
  constexpr int count = 500;
  const auto bytes = pattern(200);
  const std::string topic =
      uri("topic", has(feature::lossless_block) ? "depth=8&policy=lossless&grant=block" : "depth=200");
  std::vector<Subscriber> subscribers;
  for (int at = 0; at < 3; ++at) subscribers.push_back(subscriber(topic));
  std::vector<Publisher> publishers;
  for (int at = 0; at < 3; ++at) publishers.push_back(publisher(topic));
  for (Publisher& publisher : publishers) ASSERT_TRUE(publisher.wait_for_subscribers(1, never));
  if (has(feature::counts_subscribers)) {
    for (Publisher& publisher : publishers) ASSERT_TRUE(publisher.wait_for_subscribers(3, never));
  }
  const bool nothing_is_lost = has(feature::lossless_block) && has(feature::counts_subscribers);
  const std::uint64_t published = publishers.size() * count;
  std::atomic<bool> done{false};
  std::vector<std::jthread> readers;
  for (Subscriber& subscriber : subscribers) {
    readers.emplace_back([&] {
      std::uint64_t received = 0;
      std::uint64_t wrong = 0;
      while (true) {
        const bool last_look = done.load();
        while (const Sample sample = must(subscriber.take(), "take")) {
          ++received;
          wrong += same(sample.payload(), bytes) ? 0 : 1;
        }
        if (last_look) break;
        must(subscriber.wait(after(std::chrono::milliseconds(5))), "wait");
      }
      EXPECT_EQ(wrong, 0U);
      if (nothing_is_lost) {
        EXPECT_EQ(received, published);
      }
    });
  }
  {
    std::vector<std::jthread> writers;
    for (Publisher& publisher : publishers) {
      writers.emplace_back([&] {
        for (int sent = 0; sent < count; ++sent) {
          Loan loan = must(publisher.loan(bytes.size()), "loan");
          std::copy(bytes.begin(), bytes.end(), loan.payload().begin());
          must(loan.publish(never), "publish");
        }
      });
    }
  }
  done = true;
}

}  // namespace weir::conformance
