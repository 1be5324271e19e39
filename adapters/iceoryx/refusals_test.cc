// Whatever iceoryx would abort for, or cut silently, is an error value that names the limit.
#include <array>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "adapters/iceoryx/testing/roudi_test.h"

namespace weir::iceoryx {
namespace {

using ::testing::HasSubstr;

class Refusals : public RoudiTest {
 protected:
  std::vector<Pool> pools() const override { return {{.payload = 256, .count = 32}, {.payload = 4096, .count = 4}}; }

  void expect(const Error& error, ErrorCode code, std::string_view word) {
    EXPECT_EQ(error.code(), code) << error.message();
    EXPECT_THAT(error.message(), HasSubstr(std::string(word)));
  }
};

TEST_F(Refusals, ALoanAboveTheLargestPoolIsRefusedAndOneThatFitsExactlyIsNot) {
  Publisher publisher = this->publisher("iceoryx://A/B/C");
  EXPECT_TRUE(publisher.loan(4096));
  for (const std::size_t size : {std::size_t{4097}, std::size_t{1} << 30U}) {
    const auto loan = publisher.loan(size);
    ASSERT_FALSE(loan);
    expect(loan.error(), ErrorCode::limit_exceeded, "largest pool");
  }
  EXPECT_FALSE(publisher.loan(4000, 200));
  EXPECT_FALSE(publisher.loan(4000, 0, 4096));
}

TEST_F(Refusals, TheNinthLoanIsRefused) {
  Publisher publisher = this->publisher("iceoryx://A/B/C");
  std::vector<Loan> loans;
  for (int count = 0; count < 8; ++count) loans.push_back(must(publisher.loan(8), "loan"));
  const auto ninth = publisher.loan(8);
  ASSERT_FALSE(ninth);
  expect(ninth.error(), ErrorCode::limit_exceeded, "loans=8");
}

TEST_F(Refusals, AnExhaustedPoolIsAnErrorAndRecovers) {
  Publisher publisher = this->publisher("iceoryx://A/B/C");
  std::vector<Loan> loans;
  for (int count = 0; count < 4; ++count) loans.push_back(must(publisher.loan(4000), "loan"));
  const auto fifth = publisher.loan(4000);
  ASSERT_FALSE(fifth);
  expect(fifth.error(), ErrorCode::resource_exhausted, "pool");
  EXPECT_TRUE(publisher.loan(8)) << "smaller messages have a pool of their own";
  loans.pop_back();
  EXPECT_TRUE(publisher.loan(4000));
}

TEST_F(Refusals, WhatIceoryxWouldCutIsRefusedWithItsLimit) {
  struct Case {
    std::string_view options;
    std::string_view limit;
  };
  for (const Case& each : {Case{"history=17", "16"}, Case{"loans=9", "8"}}) {
    const auto publisher = node().publisher(fmt::format("iceoryx://A/B/C?{}", each.options));
    ASSERT_FALSE(publisher) << each.options;
    expect(publisher.error(), ErrorCode::unsupported, each.limit);
  }
  for (const Case& each : {Case{"depth=257", "256"}, Case{"history=17&depth=64", "16"}, Case{"held=257", "256"}}) {
    const auto subscriber = node().subscriber(fmt::format("iceoryx://A/B/C?{}", each.options));
    ASSERT_FALSE(subscriber) << each.options;
    expect(subscriber.error(), ErrorCode::unsupported, each.limit);
  }
  Publisher publisher = this->publisher("iceoryx://A/B/C?history=16");
  const Status two = publisher.wait_for_subscribers(2, at_once);
  ASSERT_FALSE(two);
  expect(two.error(), ErrorCode::unsupported, "ask for 1");
}

TEST_F(Refusals, WhatIsNotPromisedIsRefused) {
  for (const std::string_view options : {"grant=reject", "durability=persistent", "type=Some.Type"}) {
    const auto publisher = node().publisher(fmt::format("iceoryx://A/B/C?{}", options));
    ASSERT_FALSE(publisher) << options;
    EXPECT_EQ(publisher.error().code(), ErrorCode::unsupported) << options;
  }
  EXPECT_FALSE(node().subscriber("iceoryx://A/B/C?policy=drop_newest"));
  EXPECT_FALSE(node().topics("iceoryx://"));
  Publisher publisher = this->publisher("iceoryx://A/B/C");
  expect(publisher.peers().error(), ErrorCode::unsupported, "use wait_for_subscribers");
  expect(publisher.next_event().error(), ErrorCode::unsupported, "use wait_for_subscribers");
  Subscriber subscriber = this->subscriber("iceoryx://A/B/C");
  expect(subscriber.peers().error(), ErrorCode::unsupported, "let the messages say it");
  expect(subscriber.next_event().error(), ErrorCode::unsupported, "let the messages say it");
}

TEST_F(Refusals, NamesThatIceoryxCannotCarryAreRefused) {
  const std::string longest(100, 'n');
  EXPECT_TRUE(node().publisher(fmt::format("iceoryx://{0}/{0}/{0}", longest)));
  struct Case {
    std::string topic;
    std::string_view word;
  };
  for (const Case& each :
       {Case{"OnlyService", "three parts"}, Case{"Service/Instance", "three parts"}, Case{"/B/C", "service is empty"},
        Case{"A/B/", "event is empty"}, Case{fmt::format("{}n/B/C", longest), "100"}, Case{"A/B,/C", "comma"}}) {
    const auto publisher = node().publisher("iceoryx://" + each.topic);
    ASSERT_FALSE(publisher) << each.topic;
    expect(publisher.error(), ErrorCode::invalid_argument, each.word);
  }
}

TEST_F(Refusals, TheServicesOfRoudiCannotBePublishedOn) {
  for (const std::string_view topic : {"Introspection/RouDi_ID/MemPool", "ServiceDiscovery/RouDi_ID/ServiceRegistry"}) {
    const auto publisher = node().publisher(fmt::format("iceoryx://{}", topic));
    ASSERT_FALSE(publisher);
    expect(publisher.error(), ErrorCode::permission_denied, "RouDi");
  }
  EXPECT_TRUE(node().subscriber("iceoryx://Introspection/RouDi_ID/MemPool")) << "they can be read";
}

TEST_F(Refusals, AFullTakeLosesNothing) {
  Publisher publisher = this->publisher("iceoryx://A/B/C");
  Subscriber subscriber = this->subscriber("iceoryx://A/B/C", {.depth = 8, .held = 2});
  must(publisher.wait_for_subscribers(1, after(patience)), "subscriber");
  for (int count = 0; count < 4; ++count) must(publisher.send({}), "send");
  std::vector<Sample> held;
  for (int count = 0; count < 2; ++count) held.push_back(must(subscriber.take(), "take"));
  const auto third = subscriber.take();
  ASSERT_FALSE(third);
  expect(third.error(), ErrorCode::limit_exceeded, "held=2");
  held.clear();
  EXPECT_EQ(must(subscriber.take(), "take").sequence(), 2U);
}

}  // namespace
}  // namespace weir::iceoryx
