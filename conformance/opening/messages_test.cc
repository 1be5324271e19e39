// OPEN: what an error says. Who reads it knows where it happened, what was wrong, and what to do.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "conformance/harness/fixture.h"
#include "transport/typed.h"

namespace {
struct Word {
  std::uint64_t value = 0;
};
}  // namespace

template <>
struct weir::TypeName<Word> {
  static constexpr std::string_view value = "conformance.Word";
};

namespace weir::conformance {

using Opening = ConformanceTest;

namespace {

// What a backend says itself, it may say in words of its own: a remedy comes behind a colon.
constexpr std::string_view any_remedy = ": ";

// That the call was refused, by an error that names the topic, this value, and behind it this remedy.
template <class Value>
void refused(const Result<Value>& result, std::string_view value, std::string_view remedy) {
  if (result) {
    ADD_FAILURE() << value << " was not refused";
    return;
  }
  const std::string& message = result.error().message();
  EXPECT_NE(message.find("a-topic"), std::string::npos) << "the topic is not named in: " << message;
  const std::size_t at = message.find(value);
  EXPECT_NE(at, std::string::npos) << '"' << value << "\" is not named in: " << message;
  EXPECT_NE(message.find(remedy, at), std::string::npos) << "no \"" << remedy << "\" follows in: " << message;
}

}  // namespace

CONFORMANCE_TEST(Opening, ErrorsOfOptionsNameTopicValueAndRemedy, "OPEN-15") {
  refused(node().subscriber(uri("a-topic", "depth=0")), "depth=0", "ask for 1 or more");
  refused(node().subscriber(uri("a-topic", "held=0")), "held=0", "ask for 1 or more");
  refused(node().subscriber(uri("a-topic", "depth=4&history=5")), "history=5", "raise depth");
  refused(node().publisher(uri("a-topic", "loans=many")), "loans=\"many\"", "a whole number");
  refused(node().publisher(uri("a-topic", "deadline=5")), "deadline=\"5\"", "such as 20ms");
  refused(node().subscriber(uri("a-topic", "policy=fast")), "policy=\"fast\"",
          "one of: drop_oldest, drop_newest, lossless");
  refused(node().subscriber(uri("a-topic"), {.policy = SlowPolicy(7)}), "policy=\"7\"", "one of: drop_oldest");
  refused(node().publisher(uri("a-topic"), {.grant = Grant(9)}), "grant=\"9\"", "one of: drop, block, reject");
  refused(node().publisher(uri("a-topic"), {.durability = Durability(2)}), "durability=\"2\"",
          "one of: volatile, persistent");
  refused(node().publisher(uri("a-topic"), {.type = TypeInfo{.name = "T", .alignment = 3}}), "alignment of 3",
          "give alignof");
  refused(node().publisher(uri("a-topic", "dept=8")), "\"dept\"", "known here are name, ");
  refused(node().publisher(uri("a-topic", "depth=4&depth=8")), "\"depth\"", "give it once");
  refused(node().publisher(uri("a-topic", "depth=4"), {.depth = 8}), "\"depth\" is 4 in the URI and 8 in code",
          "give it once");
  refused(node().publisher(uri("a-topic"), {.name = std::string(129, 'n')}), "129", "shorten it");
  refused(node().publisher(uri("a-topic"), {.type = TypeInfo{.name = std::string(256, 't')}}), "256", "shorten it");
}

CONFORMANCE_TEST(Opening, ErrorsOfWhatIsNotPromisedNameTopicValueAndRemedy, "OPEN-15") {
  struct Row {
    const Feature& feature;
    std::string_view value;
    std::string_view remedy;
  };
  using namespace feature;
  for (const Row& row : std::vector<Row>{
           {drop_oldest, "policy=drop_oldest", ": use "},
           {drop_newest, "policy=drop_newest", ": use "},
           {lossless, "policy=lossless", ": use "},
           {lossless_block, "grant=block", ": use drop or "},
           {lossless_reject, "grant=reject", ": use drop or "},
           {persistence, "durability=persistent", ": use volatile or "},
           {history, "history=16", "lower that option"},
           {types, "conformance.Type", any_remedy},
           {user_header, "header", any_remedy},
           {counts_subscribers, "subscriber", any_remedy},
           {acknowledgement, "taken", "let them answer"},
           {in_hand_list, "in hand", "note it before the work"},
       }) {
    if (has(row.feature)) continue;
    refused(row.feature.ask(node(), [&](std::string_view options) { return uri("a-topic", options); }), row.value,
            row.remedy);
  }
}

CONFORMANCE_TEST(Opening, ErrorsOfLoansNameTopicValueAndRemedy, "OPEN-15") {
  Publisher publisher = this->publisher(uri("a-topic", "loans=1&max_payload=100"));
  refused(publisher.loan(101), "101 bytes", "raise that option");
  refused(publisher.send(std::array<std::byte, 102>()), "102 bytes", "raise that option");
  refused(publisher.loan(8, 65537), "65537 bytes", "put the rest into the payload");
  refused(publisher.loan(8, 0, 3), "alignment of 3", "ask for a power of two");
  refused(publisher.wait_until_taken(7, at_once), has(feature::acknowledgement) ? "sample 7" : "taken",
          has(feature::acknowledgement) ? "wait for a sequence that publish() returned" : "let them answer");
  Loan loan = must(publisher.loan(10), "loan");
  refused(loan.shrink(11), "cannot shrink to 11", "lend the larger size");
  refused(publisher.loan(8), "loans=1", "publish or drop one");
}

CONFORMANCE_TEST(Opening, ErrorsOfSubscribersNameTopicValueAndRemedy, "OPEN-15") {
  Subscriber subscriber = this->subscriber(uri("a-topic", "held=1"));
  WaitSet set = must(WaitSet::create(), "wait set");
  must(set.add(subscriber, 1), "add");
  refused(set.add(subscriber, 2), "tag 2", "remove it first");
  must(set.remove(subscriber), "remove");
  refused(set.remove(subscriber), "not in", "add it first");
  Publisher publisher = this->publisher(uri("a-topic"));
  ASSERT_TRUE(publisher.wait_for_subscribers(1, never));
  must(publisher.send({}), "send");
  must(publisher.send({}), "send");
  const Sample sample = must_take(subscriber);
  refused(subscriber.take(), "held=1", any_remedy);
}

CONFORMANCE_TEST(Opening, ErrorsOfTypedSubscribersNameTopicValueAndRemedy, "OPEN-15") {
  NEEDS(types);
  auto subscriber = must(TypedSubscriber<Word>::open(node(), uri("a-topic")), "typed subscriber");
  Publisher publisher = this->publisher(uri("a-topic"));
  ASSERT_TRUE(publisher.wait_for_subscribers(1, never));
  must(publisher.send(std::array<std::byte, 3>()), "send");
  refused(subscriber.take(), "3 bytes", "state the type at the publisher too");
}

CONFORMANCE_TEST(Opening, BackPressureNamesTopicCauseAndRemedy, "OPEN-15") {
  NEEDS(lossless);
  NEEDS(exact_depth);
  Publisher publisher =
      this->publisher(uri("a-topic", has(feature::lossless_reject) ? "grant=reject" : "grant=block&deadline=1ms"));
  Subscriber subscriber = this->subscriber(uri("a-topic", "depth=1&policy=lossless"));
  ASSERT_TRUE(publisher.wait_for_subscribers(1, never));
  must(publisher.send({}), "send");
  refused(publisher.send({}), "subscriber", any_remedy);
}

}  // namespace weir::conformance
