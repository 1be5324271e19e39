// How a Node finds the backend of a URI, and what it refuses in the backend's name.
#include "transport/node.h"

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transport/inproc/test_support.h"

namespace weir {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using testing_support::fails;
using testing_support::must;

// Promises what it is told to, remembers what it is asked for, and has no ports.
class Recorder : public spi::Backend {
 public:
  explicit Recorder(Capabilities promised) : promised_(promised) {}

  [[nodiscard]] std::span<const std::string_view> schemes() const noexcept override { return served; }
  [[nodiscard]] std::span<const std::string_view> option_keys() const noexcept override { return keys; }
  [[nodiscard]] Capabilities capabilities(const Endpoint& /*endpoint*/) const noexcept override { return promised_; }
  Result<std::unique_ptr<spi::PublisherPort>> publisher(const Endpoint& endpoint, const PublisherQos& qos) override {
    asked_endpoint = endpoint;
    publisher_qos = qos;
    return failure(ErrorCode::unavailable, "recorded");
  }
  Result<std::unique_ptr<spi::SubscriberPort>> subscriber(const Endpoint& endpoint, const SubscriberQos& qos) override {
    asked_endpoint = endpoint;
    subscriber_qos = qos;
    return failure(ErrorCode::unavailable, "recorded");
  }

  Endpoint asked_endpoint;
  PublisherQos publisher_qos;
  SubscriberQos subscriber_qos;

 private:
  static constexpr std::array<std::string_view, 2> served{"recorder", "recorder+tcp"};
  static constexpr std::array<std::string_view, 1> keys{"color"};
  Capabilities promised_;
};

class NodeTest : public ::testing::Test {
 protected:
  // A node whose recorder promises this.
  Node promising(Capabilities promised) {
    recorder_ = std::make_shared<Recorder>(promised);
    return must(Node::open({recorder_}));
  }

  std::shared_ptr<Recorder> recorder_;
};

constexpr Capabilities nothing{};
constexpr Capabilities everything{
    .drop_oldest = true, .drop_newest = true, .lossless_block = true, .lossless_reject = true, .persistence = true};

TEST_F(NodeTest, SchemeChoosesTheBackend) {
  Node node = promising(everything);
  EXPECT_TRUE(fails(node.publisher("recorder://a?color=red&depth=3"), ErrorCode::unavailable, {"recorded"}));
  EXPECT_EQ(recorder_->asked_endpoint.topic, "a");
  EXPECT_EQ(recorder_->publisher_qos.depth, 3U);
  EXPECT_THAT(recorder_->publisher_qos.extra, ElementsAre(Pair("color", "red")));
  EXPECT_TRUE(fails(node.subscriber("recorder+tcp://b:5"), ErrorCode::unavailable, {"recorded"}));
  EXPECT_EQ(recorder_->asked_endpoint.scheme, "recorder+tcp");
  EXPECT_EQ(recorder_->asked_endpoint.topic, "b:5");
}

TEST_F(NodeTest, SchemeThatNobodyServesIsNotFoundAndTheOthersAreListed) {
  Node node = promising(everything);
  EXPECT_TRUE(fails(node.publisher("smh://t"), ErrorCode::not_found, {"smh://t", "inproc, recorder, recorder+tcp"}));
  EXPECT_TRUE(fails(node.subscriber("smh://t"), ErrorCode::not_found));
  EXPECT_TRUE(fails(node.capabilities("smh://t"), ErrorCode::not_found));
  EXPECT_TRUE(fails(node.topics("smh://"), ErrorCode::not_found));
  EXPECT_TRUE(fails(node.remove("smh://t"), ErrorCode::not_found));
}

TEST_F(NodeTest, SchemesAreSortedAndEachGivenOnce) {
  const Node node = must(Node::open({std::make_shared<Recorder>(nothing), std::make_shared<Recorder>(everything)}));
  EXPECT_THAT(node.schemes(), ElementsAre("inproc", "recorder", "recorder+tcp"));
}

TEST_F(NodeTest, BackendGivenToOpenComesBeforeOneLinkedIn) {
  class Impostor : public Recorder {
   public:
    Impostor() : Recorder(everything) {}
    [[nodiscard]] std::span<const std::string_view> schemes() const noexcept override {
      static constexpr std::array<std::string_view, 1> served_scheme{"inproc"};
      return served_scheme;
    }
  };
  Node node = must(Node::open({std::make_shared<Impostor>()}));
  EXPECT_TRUE(fails(node.publisher("inproc://t"), ErrorCode::unavailable, {"recorded"}));
  must(must(Node::open()).publisher("inproc://t"));
}

TEST_F(NodeTest, MalformedUriAndOptionsAreRefusedBeforeTheBackendIsAsked) {
  Node node = promising(everything);
  EXPECT_TRUE(fails(node.publisher("recorder"), ErrorCode::invalid_argument));
  EXPECT_TRUE(fails(node.subscriber("recorder://"), ErrorCode::invalid_argument, {"topic is empty"}));
  EXPECT_TRUE(fails(node.subscriber("recorder://t?colour=red"), ErrorCode::invalid_argument, {"colour", "color"}));
  EXPECT_TRUE(fails(node.publisher("recorder://t?depth=1", {.depth = 2}), ErrorCode::invalid_argument));
  EXPECT_TRUE(fails(node.topics("recorder://t"), ErrorCode::invalid_argument));
  EXPECT_TRUE(fails(node.remove("recorder://"), ErrorCode::invalid_argument));
  EXPECT_EQ(recorder_->asked_endpoint, Endpoint());
}

TEST_F(NodeTest, CapabilitiesAreThoseOfTheBackendWithOrWithoutATopic) {
  const Node node = promising(everything);
  EXPECT_EQ(must(node.capabilities("recorder://t")), everything);
  EXPECT_EQ(must(node.capabilities("recorder://")), everything);
  EXPECT_TRUE(fails(node.capabilities("recorder"), ErrorCode::invalid_argument));
}

TEST_F(NodeTest, WhatIsNotPromisedIsRefusedByNameAndTheBackendIsNotAsked) {
  Node node = promising({.drop_newest = true, .max_depth = 10, .max_history = 3, .max_loans = 4, .max_held = 5});
  const auto refused = [&](std::string_view options, std::initializer_list<std::string_view> words) {
    const std::string uri = "recorder://t?" + std::string(options);
    EXPECT_TRUE(fails(node.publisher(uri), ErrorCode::unsupported, words));
  };
  refused("grant=block", {"grant=block", "recorder", "use drop or another backend"});
  refused("grant=reject", {"grant=reject", "use drop or another backend"});
  refused("durability=persistent", {"durability=persistent", "use volatile or another backend"});
  refused("loans=5", {"loans=5", "at most 4"});
  refused("history=4", {"history=4", "at most 3"});
  const auto subscriber_refused = [&](std::string_view options, std::initializer_list<std::string_view> words) {
    const std::string uri = "recorder://t?" + std::string(options);
    EXPECT_TRUE(fails(node.subscriber(uri), ErrorCode::unsupported, words));
  };
  subscriber_refused("depth=1&policy=drop_oldest", {"policy=drop_oldest", "use drop_newest or another backend"});
  subscriber_refused("depth=1&policy=lossless", {"policy=lossless"});
  subscriber_refused("depth=1&durability=persistent", {"durability=persistent"});
  subscriber_refused("depth=11", {"depth=11", "at most 10"});
  subscriber_refused("depth=10&held=6", {"held=6", "at most 5"});
  subscriber_refused("depth=10&history=4", {"history=4", "at most 3"});
  EXPECT_EQ(recorder_->asked_endpoint, Endpoint());
  EXPECT_TRUE(fails(node.publisher("recorder://t?loans=4&history=3"), ErrorCode::unavailable));
  EXPECT_TRUE(fails(node.subscriber("recorder://t?depth=10&held=5&history=3"), ErrorCode::unavailable));
}

TEST_F(NodeTest, NewestIsRefusedWhereOnlyTheOldestCanBeDropped) {
  Node node = promising({.drop_oldest = true});
  EXPECT_TRUE(fails(node.subscriber("recorder://t?policy=drop_newest"), ErrorCode::unsupported,
                    {"drop_newest", "use drop_oldest or another backend"}));
}

TEST_F(NodeTest, WhatABackendWithoutAnyPolicyRefusesIsLeftToAnotherBackend) {
  Node node = promising(nothing);
  EXPECT_TRUE(fails(node.subscriber("recorder://t"), ErrorCode::unsupported, {"policy=lossless: use another backend"}));
}

TEST_F(NodeTest, LosslessNeedsOneOfTheTwoGrants) {
  for (const Capabilities& promised : {Capabilities{.lossless_block = true}, Capabilities{.lossless_reject = true}}) {
    Node node = promising(promised);
    EXPECT_TRUE(fails(node.subscriber("recorder://t?policy=lossless"), ErrorCode::unavailable));
    EXPECT_EQ(recorder_->subscriber_qos.policy, SlowPolicy::lossless);
  }
}

TEST_F(NodeTest, DefaultsFollowWhatTheBackendHas) {
  Node node = promising({.drop_newest = true, .max_loans = 8, .max_held = 9});
  EXPECT_TRUE(fails(node.publisher("recorder://t"), ErrorCode::unavailable));
  EXPECT_EQ(recorder_->publisher_qos.loans, 8U);
  EXPECT_TRUE(fails(node.subscriber("recorder://t"), ErrorCode::unavailable));
  EXPECT_EQ(recorder_->subscriber_qos.policy, SlowPolicy::drop_newest);
  EXPECT_EQ(recorder_->subscriber_qos.held, 9U);
}

TEST_F(NodeTest, ListingAndRemovingAreUnsupportedUnlessABackendSaysOtherwise) {
  Node node = promising(everything);
  EXPECT_TRUE(fails(node.topics("recorder://"), ErrorCode::unsupported, {"recorder://", "lists_topics"}));
  EXPECT_TRUE(fails(node.remove("recorder://t"), ErrorCode::unsupported, {"recorder://t", "leave this call out"}));
}

TEST_F(NodeTest, OneThatWasMovedFromIsClosed) {
  Node node = promising(everything);
  const Node moved = std::move(node);
  // NOLINTBEGIN(bugprone-use-after-move): this is what the test is about
  EXPECT_TRUE(fails(node.publisher("recorder://t"), ErrorCode::closed, {"moved from"}));
  EXPECT_TRUE(fails(node.subscriber("recorder://t"), ErrorCode::closed));
  EXPECT_TRUE(fails(node.capabilities("recorder://t"), ErrorCode::closed));
  EXPECT_TRUE(fails(node.topics("recorder://"), ErrorCode::closed));
  EXPECT_TRUE(fails(node.remove("recorder://t"), ErrorCode::closed));
  EXPECT_THAT(node.schemes(), ElementsAre());
  // NOLINTEND(bugprone-use-after-move)
  EXPECT_EQ(must(moved.capabilities("recorder://t")), everything);
}

}  // namespace
}  // namespace weir
