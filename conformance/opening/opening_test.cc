// OPEN: endpoints, topics and options.
#include <array>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/harness/fixture.h"

namespace weir::conformance {

using Opening = ConformanceTest;

namespace {

// Opens the endpoint in both roles; each must refuse it with this code and name what is wrong.
void expect_refused(Node& node, const std::string& uri, ErrorCode code, const std::string& named) {
  const auto judge = [&](const char* role, const Status& opened) {
    if (opened) {
      ADD_FAILURE() << role << " was not refused: " << uri;
      return;
    }
    EXPECT_EQ(to_string(opened.error().code()), to_string(code)) << role << ": " << uri;
    EXPECT_NE(opened.error().message().find(named), std::string::npos)
        << role << ": \"" << opened.error().message() << "\" does not name \"" << named << "\"";
  };
  judge("publisher", node.publisher(uri).map([](const Publisher&) {}));
  judge("subscriber", node.subscriber(uri).map([](const Subscriber&) {}));
}

}  // namespace

CONFORMANCE_TEST(Opening, TopicsOfUpTo1024BytesWork, "OPEN-1") {
  // The sandbox may be part of the topic.
  const std::size_t taken = must(Endpoint::parse(uri("x")), "endpoint").topic.size() - 1;
  ScriptedPeer& source = peer("source");
  ScriptedPeer& sink = peer("sink");
  for (const std::size_t size : {1U, 200U, 255U, 256U, 1024U}) {
    const std::string topic = uri(std::string(size - (size == 1024 ? taken : 0), 't'));
    auto subscriber = sink.subscriber(topic);
    auto publisher = source.publisher(topic);
    publisher.wait_for_subscribers(1);
    publisher.publish();
    EXPECT_EQ(subscriber.take_all(), 1U) << size;
    publisher.close();
    subscriber.close();
  }
}

CONFORMANCE_TEST(Opening, LongTopicsThatDifferInTheLastByteAreDifferent, "OPEN-1") {
  const std::size_t taken = must(Endpoint::parse(uri("x")), "endpoint").topic.size() - 1;
  const std::string common(1023 - taken, 't');
  ScriptedPeer& one = peer("peer");
  auto first = one.subscriber(uri(common + "1"));
  auto second = one.subscriber(uri(common + "2"));
  auto publisher = one.publisher(uri(common + "2"));
  publisher.wait_for_subscribers(1);
  publisher.publish();
  EXPECT_EQ(first.take_all(), 0U);
  EXPECT_EQ(second.take_all(), 1U);
}

CONFORMANCE_TEST(Opening, ATopicOf1025BytesIsRefused, "OPEN-2") {
  expect_refused(node(), uri(std::string(1025, 't')), ErrorCode::invalid_argument, "1024");
}

CONFORMANCE_TEST(Opening, AnyBytesMakeATopicOfTheirOwn, "OPEN-3") {
  // Pairs that a careless mapping to file names, or to lower case, would take for one.
  const std::vector<std::string> topics{
      "plain",   "Plain",     "a/b",          "a_b",    "a%2Fb/",  "a//b",   ".hidden",    "dots..inside", "a%20b",
      "a%2520b", "K%C3%A4se", "K%61%CC%88se", "%01%7F", "%FF%FE",  "tab%09", "new%0Aline", "a%3Fb%3D1",    "%23",
      "~",       "-",         "a:b",          "topic",  "topic%00"};
  ScriptedPeer& one = peer("peer");
  std::vector<std::pair<std::string, RemoteSubscriber>> subscribers;
  for (const std::string& topic : topics) {
    if (topic.find("%00") != std::string::npos) continue;
    subscribers.emplace_back(topic, one.subscriber(uri(topic)));
  }
  for (const auto& [topic, subscriber] : subscribers) {
    auto publisher = one.publisher(uri(topic));
    publisher.wait_for_subscribers(1);
    publisher.publish();
    EXPECT_EQ(subscriber.take_all(), 1U) << topic;
    publisher.close();
    for (const auto& [other_topic, other] : subscribers) {
      EXPECT_EQ(other.take_all(), 0U) << "a sample of " << topic << " came to " << other_topic;
    }
  }
}

CONFORMANCE_TEST(Opening, EscapesAreOnlyAWayToWrite, "OPEN-4") {
  ScriptedPeer& one = peer("peer");
  auto subscriber = one.subscriber(uri("camera/front"));
  auto publisher = one.publisher(uri("%63amera%2ffront"));
  publisher.wait_for_subscribers(1);
  publisher.publish();
  EXPECT_EQ(subscriber.take_all(), 1U);
}

CONFORMANCE_TEST(Opening, MalformedEndpointsAreRefused, "OPEN-5") {
  const std::string good = uri("topic");
  const std::string scheme = good.substr(0, good.find("://"));
  const std::vector<std::pair<std::string, std::string>> all{
      {"", "scheme"},
      {"topic", "scheme"},
      {"//topic", "scheme"},
      {scheme + ":topic", "scheme"},
      {scheme + "://", "empty"},
      {scheme + "://?depth=1", "empty"},
      {uri("a%2"), "%"},
      {uri("a%zz"), "%"},
      {uri("a%00b"), "NUL"},
      {good + "#part", "#"},
  };
  for (const auto& [malformed, named] : all) {
    expect_refused(node(), malformed, ErrorCode::invalid_argument, named);
  }
}

CONFORMANCE_TEST(Opening, DotSegmentsLeadNowhere, "OPEN-6") {
  for (const char* topic : {"..", "../above", "a/../b", "a/..", "./a", "%2e%2e/above", "a/%2E%2E/%2E%2E/b"}) {
    expect_refused(node(), uri(topic), ErrorCode::invalid_argument, "..");
  }
}

CONFORMANCE_TEST(Opening, AnUnknownSchemeIsNotFoundAndTheKnownOnesAreNamed, "OPEN-7") {
  const std::string scheme = uri("topic").substr(0, uri("topic").find("://"));
  expect_refused(node(), "unheard-of://topic", ErrorCode::not_found, "unheard-of");
  expect_refused(node(), "unheard-of://topic", ErrorCode::not_found, scheme);
  EXPECT_FALSE(node().capabilities("unheard-of://topic"));
}

CONFORMANCE_TEST(Opening, UnknownOptionsAreRefusedByName, "OPEN-8") {
  expect_refused(node(), uri("topic", "dept=8"), ErrorCode::invalid_argument, "dept");
  expect_refused(node(), uri("topic", "Depth=8"), ErrorCode::invalid_argument, "Depth");
  const auto publisher = node().publisher(uri("topic"), {.extra = {{"colour", "blue"}}});
  ASSERT_FALSE(publisher);
  EXPECT_EQ(publisher.error().code(), ErrorCode::invalid_argument);
  EXPECT_NE(publisher.error().message().find("colour"), std::string::npos);
}

CONFORMANCE_TEST(Opening, ValuesThatDoNotParseAreRefusedWithTheirOption, "OPEN-9") {
  for (const char* option :
       {"depth=", "depth=many", "depth=-1", "depth=1.5", "depth=8x", "depth=99999999999999999999", "depth=0",
        "history=some", "deadline=5", "deadline=soon", "policy=drop", "policy=LOSSLESS", "grant=lossless",
        "durability=transient", "held=none", "loans=", "max_payload=1TB", "memory=-4GiB"}) {
    const std::string key = std::string(option).substr(0, std::string(option).find('='));
    expect_refused(node(), uri("topic", option), ErrorCode::invalid_argument, key);
  }
  expect_refused(node(), uri("topic", "depth=4&depth=4"), ErrorCode::invalid_argument, "depth");
  expect_refused(node(), uri("topic", "depth"), ErrorCode::invalid_argument, "depth");
}

CONFORMANCE_TEST(Opening, AnOptionInTheUriAndInCodeMustAgree, "OPEN-10") {
  const std::string topic = uri("topic", "depth=8&name=here");
  EXPECT_TRUE(node().subscriber(topic, {.name = "here", .depth = 8}));
  EXPECT_TRUE(node().publisher(topic, {.name = "here", .depth = 8}));
  for (const SubscriberOptions& options : {SubscriberOptions{.depth = 9}, SubscriberOptions{.name = "there"}}) {
    const auto refused = node().subscriber(topic, options);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::invalid_argument);
    EXPECT_NE(refused.error().message().find(options.depth ? "depth" : "name"), std::string::npos);
  }
}

CONFORMANCE_TEST(Opening, OptionsMeanTheSameInTheUriAndInCode, "OPEN-11") {
  const Publisher by_uri = publisher(uri("one", "depth=5&max_payload=2KiB&deadline=30ms&loans=3&name=n"));
  const Publisher in_code =
      publisher(uri("other"),
                {.name = "n", .deadline = std::chrono::milliseconds(30), .depth = 5, .loans = 3, .max_payload = 2048});
  EXPECT_EQ(by_uri.qos().depth, in_code.qos().depth);
  EXPECT_EQ(by_uri.qos().max_payload, in_code.qos().max_payload);
  EXPECT_EQ(by_uri.qos().deadline, in_code.qos().deadline);
  EXPECT_EQ(by_uri.qos().loans, in_code.qos().loans);
  EXPECT_EQ(by_uri.qos().name, in_code.qos().name);
  EXPECT_EQ(by_uri.qos().max_payload, 2048U);
}

CONFORMANCE_TEST(Opening, OneUriServesBothRoles, "OPEN-12") {
  const std::string topic =
      uri("topic", "depth=4&policy=drop_oldest&held=2&loans=2&deadline=5ms&max_payload=1KiB&memory=64MiB");
  Publisher publisher = this->publisher(topic);
  Subscriber subscriber = this->subscriber(topic);
  ASSERT_TRUE(publisher.wait_for_subscribers(1, never));
  EXPECT_TRUE(publisher.send({}));
  EXPECT_TRUE(must(subscriber.take(), "take"));
}

CONFORMANCE_TEST(Opening, PersistenceIsGrantedOrRefused, "OPEN-13") {
  const std::string persistent = uri("topic", "durability=persistent&name=keeper");
  if (capabilities().persistence) {
    EXPECT_TRUE(node().publisher(persistent));
    EXPECT_TRUE(node().remove(persistent));
  } else {
    expect_refused(node(), persistent, ErrorCode::unsupported, "durability");
  }
}

CONFORMANCE_TEST(Opening, WhatIsAboveACapabilityIsRefusedAsUnsupported, "OPEN-13") {
  const auto refused = [&](std::uint64_t most, const char* key) {
    if (most >= (1ULL << 40U)) return;  // not a limit that anyone meets
    // History must fit into the depth, or that would be the fault.
    const std::string depth = key == std::string("history") ? fmt::format("depth={}&", most + 1) : "";
    const auto opened = node().subscriber(uri("topic", fmt::format("{}{}={}", depth, key, most + 1)));
    ASSERT_FALSE(opened) << key;
    EXPECT_EQ(opened.error().code(), ErrorCode::unsupported) << opened.error().message();
  };
  refused(capabilities().max_depth, "depth");
  refused(capabilities().max_held, "held");
  if (capabilities().max_history < capabilities().max_depth) refused(capabilities().max_history, "history");
}

CONFORMANCE_TEST(Opening, NamesOfUpTo128BytesAreKept, "OPEN-14") {
  const std::string longest(128, 'n');
  {
    const Publisher named = publisher(uri("topic"), {.name = longest});
    EXPECT_EQ(named.qos().name, longest);
    if (has(feature::full_membership)) {
      const auto peers = must(subscriber(uri("topic")).peers(), "peers");
      ASSERT_EQ(peers.size(), 1U);
      EXPECT_EQ(peers.front().name, longest);
    }
  }
  const auto refused = node().publisher(uri("topic"), {.name = longest + "n"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::invalid_argument);
}

}  // namespace weir::conformance
