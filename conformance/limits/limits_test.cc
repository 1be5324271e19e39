// LIMIT: every limit is an option; reaching it is an error value that names it, and changes nothing else.
#include <array>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/harness/fixture.h"

namespace weir::conformance {

using Limits = ConformanceTest;

namespace {

template <class Value>
void expect_limit(const Result<Value>& result, std::string_view option) {
  if (result) {
    ADD_FAILURE() << option << ": nothing was refused";
    return;
  }
  EXPECT_EQ(to_string(result.error().code()), "limit_exceeded") << result.error().message();
  EXPECT_NE(result.error().message().find(option), std::string::npos) << result.error().message();
}

}  // namespace

CONFORMANCE_TEST(Limits, APayloadAboveMaxPayloadIsRefused, "LIMIT-1") {
  const std::string topic = uri("topic", "max_payload=10KiB");
  Subscriber subscriber = this->subscriber(topic);
  Publisher publisher = this->publisher(topic);
  ASSERT_TRUE(publisher.wait_for_subscribers(1, never));
  const std::vector<std::byte> bytes(10241);
  expect_limit(publisher.loan(10241), "max_payload");
  expect_limit(publisher.send(bytes), "max_payload");
  expect_limit(publisher.loan(std::numeric_limits<std::size_t>::max()), "max_payload");
  EXPECT_EQ(must(publisher.send(std::span(bytes).first(10240)), "send"), 0U);
  EXPECT_EQ(must_take(subscriber).payload().size(), 10240U);
}

CONFORMANCE_TEST(Limits, OneLoanMoreThanTheLimitIsRefused, "LIMIT-2") {
  constexpr std::uint64_t limit = 4;
  if (capabilities().max_loans < limit) INCONCLUSIVE("the backend lends fewer than 4");
  Publisher publisher = this->publisher(uri("topic", fmt::format("loans={}", limit)));
  for (int round = 0; round < 3; ++round) {
    std::vector<Loan> loans;
    for (std::uint64_t count = 0; count < limit; ++count) loans.push_back(must(publisher.loan(1000), "loan"));
    expect_limit(publisher.loan(1), "loans");
    expect_limit(publisher.send({}), "loans");
    loans.pop_back();
    loans.push_back(must(publisher.loan(1000), "loan, after one was dropped"));
    must(loans.back().publish(), "publish");
    loans.back() = must(publisher.loan(1000), "loan, after one was published");
  }
}

CONFORMANCE_TEST(Limits, OneSampleMoreThanTheLimitIsNotTakenAndNotLost, "LIMIT-3") {
  const std::string topic = uri("topic", "held=3&depth=16");
  auto subscriber = peer("sink").subscriber(topic);
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(1);
  publisher.publish({.count = 10});
  const Outcome held = subscriber.try_hold(10);
  EXPECT_TRUE(held.is(ErrorCode::limit_exceeded)) << to_string(held);
  EXPECT_EQ(held.value, 3U);
  EXPECT_NE(held.text.find("held"), std::string::npos) << held.text;
  EXPECT_TRUE(subscriber.try_hold(1).is(ErrorCode::limit_exceeded));
  EXPECT_EQ(subscriber.release(1), 1U);
  EXPECT_EQ(subscriber.hold(1), 1U);
  EXPECT_EQ(subscriber.release(3), 3U);
  EXPECT_EQ(subscriber.take_all(), 6U);
  EXPECT_SOUND(check_sound(subscriber));
  EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, 10));
}

CONFORMANCE_TEST(Limits, AHeaderAbove64KibibytesIsRefused, "LIMIT-4") {
  NEEDS(user_header);
  Publisher publisher = this->publisher(uri("topic"));
  expect_limit(publisher.loan(8, 65537), "65536");
  expect_limit(publisher.loan(8, std::numeric_limits<std::size_t>::max()), "65536");
  if (capabilities().max_header >= 65536) {
    EXPECT_TRUE(publisher.loan(8, 65536));
  }
}

CONFORMANCE_TEST(Limits, MemoryThatRunsOutIsAnErrorAndSmallerMessagesStillWork, "LIMIT-5") {
  const std::uint64_t open = std::min<std::uint64_t>(64, capabilities().max_loans);
  const std::string topic = uri("topic", fmt::format("memory=16MiB&loans={}&depth=4", open));
  Subscriber subscriber = this->subscriber(topic);
  Publisher publisher = this->publisher(topic);
  ASSERT_TRUE(publisher.wait_for_subscribers(1, never));
  const std::array<std::byte, 64> small{};
  must(publisher.send(small), "send of a small message");
  EXPECT_TRUE(must(subscriber.take(), "take"));
  constexpr std::size_t large = 3U << 20U;
  for (int round = 0; round < 3; ++round) {
    std::vector<Loan> loans;
    Result<Loan> loan = publisher.loan(large);
    for (; loan && loans.size() < 6; loan = publisher.loan(large)) loans.push_back(std::move(*loan));
    ASSERT_FALSE(loan) << "more than 16 MiB were lent where memory=16MiB";
    EXPECT_GE(loans.size(), 3U);
    EXPECT_EQ(to_string(loan.error().code()), "resource_exhausted") << loan.error().message();
    EXPECT_NE(loan.error().message().find("memory"), std::string::npos) << loan.error().message();
    must(publisher.send(small), "send of a small message while memory is short");
    EXPECT_TRUE(must(subscriber.take(), "take"));
  }
}

CONFORMANCE_TEST(Limits, NoHoardingMakesALoanFailBelowTheLimits, "LIMIT-6") {
  NEEDS(counts_subscribers);
  const std::string topic = uri("topic", "depth=8&held=40");
  ScriptedPeer& hoarders = peer("hoarders");
  const std::array<RemoteSubscriber, 2> subscribers{hoarders.subscriber(topic), hoarders.subscriber(topic)};
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(2);
  for (int round = 0; round < 5; ++round) {
    publisher.publish({.count = 8, .size = 20'000});
    EXPECT_EQ(subscribers[0].hold(8), 8U);
    publisher.publish({.count = 8, .size = 20'000});
    EXPECT_EQ(subscribers[1].hold(8), 8U);
  }
  EXPECT_TRUE(publisher.try_lend(60, {.size = 20'000}));
  EXPECT_TRUE(publisher.try_publish({.count = 200, .size = 20'000}));
  for (const RemoteSubscriber& subscriber : subscribers) {
    EXPECT_EQ(subscriber.release(40), 40U);
    EXPECT_SOUND(check_sound(subscriber));
  }
}

CONFORMANCE_TEST(Limits, ManySubscribersShareATopic, "LIMIT-7") {
  NEEDS(counts_subscribers);
  constexpr std::uint64_t count = 64;
  const std::string topic = uri("topic", "depth=4");
  ScriptedPeer& sinks = peer("sinks");
  std::vector<RemoteSubscriber> subscribers;
  for (std::uint64_t at = 0; at < count; ++at) subscribers.push_back(sinks.subscriber(topic));
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(count);
  publisher.publish({.count = 4});
  for (const RemoteSubscriber& subscriber : subscribers) {
    EXPECT_EQ(subscriber.take_all(), 4U);
    EXPECT_SOUND(check_sound(subscriber));
  }
}

CONFORMANCE_TEST(Limits, ManyPublishersShareATopic, "LIMIT-8") {
  constexpr std::uint64_t count = 32;
  const std::string topic = uri("topic", "depth=4");
  auto subscriber = peer("sink").subscriber(topic);
  ScriptedPeer& sources = peer("sources");
  std::vector<RemotePublisher> publishers;
  for (std::uint64_t at = 0; at < count; ++at) publishers.push_back(sources.publisher(topic));
  for (const RemotePublisher& publisher : publishers) {
    publisher.wait_for_subscribers(1);
    publisher.publish({.count = 4});
  }
  EXPECT_EQ(subscriber.take_all(), 4 * count);
  EXPECT_SOUND(check_sound(subscriber));
  for (const RemotePublisher& publisher : publishers) {
    EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, 4));
  }
}

CONFORMANCE_TEST(Limits, AProcessUsesManyTopics, "LIMIT-9") {
  constexpr std::uint64_t count = 100;
  ScriptedPeer& one = peer("peer");
  std::vector<RemoteSubscriber> subscribers;
  std::vector<RemotePublisher> publishers;
  for (std::uint64_t at = 0; at < count; ++at) {
    subscribers.push_back(one.subscriber(uri(fmt::format("topic{}", at))));
    publishers.push_back(one.publisher(uri(fmt::format("topic{}", at))));
  }
  for (const RemotePublisher& publisher : publishers) {
    publisher.wait_for_subscribers(1);
    publisher.publish();
  }
  for (const RemoteSubscriber& subscriber : subscribers) EXPECT_EQ(subscriber.take_all(), 1U);
}

}  // namespace weir::conformance
