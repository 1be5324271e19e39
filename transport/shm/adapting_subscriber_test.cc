// A subscriber with fit=any takes what each publisher grants.
#include "transport/shm/test_topic.h"

namespace weir::shm::testing {
namespace {

constexpr const char* adapting = "fit=any&policy=lossless&depth=8";

TEST(AdaptingSubscriber, LosesTheOldestOfAPublisherThatGrantsNothing) {
  const TopicRoot root;
  Node node = must(Node::open());
  Publisher publisher = must(node.publisher(root.uri("grant=drop&depth=4")));
  Subscriber subscriber = must(node.subscriber(root.uri(adapting)));
  Publisher later = must(node.publisher(root.uri("grant=drop&depth=100")));
  for (Publisher* const each : {&publisher, &later}) {
    const std::uint64_t depth = each == &publisher ? 4 : 8;  // the publisher's, where that is less
    for (std::uint64_t number = 0; number < 1000; ++number) must(send(*each, 100, number));
    const Sample first = next_sample(subscriber);
    EXPECT_EQ(first.lost_before(), 1000 - depth);
    EXPECT_EQ(drain(subscriber), depth - 1);
  }
}

TEST(AdaptingSubscriber, LosesNothingOfAPublisherThatWaits) {
  const TopicRoot root;
  Node node = must(Node::open());
  Subscriber subscriber = must(node.subscriber(root.uri(adapting)));
  Publisher publisher = must(node.publisher(root.uri("grant=reject&depth=4")));
  Publisher dropping = must(node.publisher(root.uri("grant=drop&depth=4")));
  for (std::uint64_t number = 0; number < 1000; ++number) must(send(dropping, 100, number));
  std::uint64_t sent = 0;
  while (send(publisher, 100, sent)) ++sent;
  EXPECT_EQ(sent, 4U) << "the publisher's depth, which is less than what was asked for";
  EXPECT_EQ(drain(subscriber), sent + 4);
  must(send(publisher, 100, sent));
  const Sample sample = next_sample(subscriber);
  EXPECT_EQ(sample.lost_before(), 0U);
  EXPECT_EQ(sample.sequence(), sent);
}

TEST(AdaptingSubscriber, ThatIsDurableComesBackAsOne) {
  const TopicRoot root;
  Node node = must(Node::open());
  const std::string reader = "depth=8&durability=persistent&name=reader&fit=";
  must(node.subscriber(root.uri(reader + "any")));
  const auto refused = node.subscriber(root.uri(reader + "strict"));
  EXPECT_FALSE(refused);
  if (!refused) {
    EXPECT_EQ(refused.error().code(), ErrorCode::incompatible);
    EXPECT_NE(refused.error().message().find("fit=any, now fit=strict"), std::string::npos)
        << refused.error().message();
  }
  must(node.subscriber(root.uri(reader + "any")));
  must(node.remove(root.uri()));
}

TEST(AdaptingSubscriber, IsAskedForByOneOfTwoWords) {
  const TopicRoot root;
  Node node = must(Node::open());
  Publisher publisher = must(node.publisher(root.uri("grant=drop")));
  EXPECT_FALSE(node.subscriber(root.uri("fit=some")));
  EXPECT_FALSE(node.subscriber(root.uri("fit=strict&policy=lossless")));
  must(node.subscriber(root.uri("fit=any&policy=lossless&depth=100000")));
}

}  // namespace
}  // namespace weir::shm::testing
