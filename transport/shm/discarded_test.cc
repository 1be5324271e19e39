// A durable member that others found while it joined, and that came to nothing: the next one of its name has a segment
// of its own, and whoever knew the former one finds it.
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "transport/endpoint.h"
#include "transport/shm/own_segment.h"
#include "transport/shm/root.h"
#include "transport/shm/segment.h"
#include "transport/shm/test_topic.h"
#include "transport/shm/topic_directory.h"

namespace weir::shm::testing {
namespace {

class Discarded : public ::testing::Test {
 public:
  Discarded(const Discarded&) = delete;
  Discarded& operator=(const Discarded&) = delete;
  ~Discarded() override { (void)node_.remove(root_.uri()); }  // what is durable; a refused one leaves nothing

 protected:
  Discarded() = default;

  // One named "k" joins up to where it is seen, is refused, and leaves. `see` runs between.
  template <class Header, class Fill, class See>
  void come_to_nothing(Role role, std::size_t size, Fill fill, See see) {
    const auto topic = must(TopicDirectory::join(must(place_of(must(Endpoint::parse(root_.uri()))))));
    const std::optional<TypeInfo> untyped;
    OwnSegment segment =
        must(OwnSegment::make(*topic, {.role = role,
                                       .size = size,
                                       .name = "k",
                                       .durability = Durability::persistent,
                                       .type = untyped,
                                       .fill = [&](std::byte* memory) { fill(*reinterpret_cast<Header*>(memory)); }}));
    auto& header = *reinterpret_cast<Header*>(segment.memory.data());
    header.stage.store(static_cast<std::uint32_t>(Stage::joined));
    header.born.store(topic->counters().epoch.fetch_add(1) + 1);
    see();
    header.stage.store(static_cast<std::uint32_t>(Stage::left));
    segment.discard(*topic);
    segment.life = Lock();
    topic->counters().epoch.fetch_add(1);
  }

  // A publisher of the topic, of small rings.
  void fail_to_publish(Subscriber& subscriber) {
    const auto fill = [](PublisherHeader& header) {
      header.slots = 16;
      header.depth = 8;
      header.grant = static_cast<std::uint32_t>(Grant::reject);
    };
    come_to_nothing<PublisherHeader>(Role::publisher, publisher_segment_size(16), fill, [&] {
      EXPECT_FALSE(must(subscriber.take()));
      EXPECT_EQ(must(subscriber.peers()).size(), 1U) << "it was not seen";
    });
  }

  void fail_to_subscribe(Publisher& publisher) {
    const auto fill = [](SubscriberHeader& header) {
      header.pins = 4;
      header.depth = 8;
    };
    come_to_nothing<SubscriberHeader>(Role::subscriber, subscriber_segment_size(4, true), fill,
                                      [&] { EXPECT_EQ(must(publisher.peers()).size(), 1U) << "it was not seen"; });
  }

  const TopicRoot root_;            // NOLINT: for the bodies of the tests
  Node node_ = must(Node::open());  // NOLINT
};

TEST_F(Discarded, ASubscriberHearsThePublisherThatComesUnderTheNameOfOneThatCameToNothing) {
  for (const std::string policy : {"drop_oldest", "lossless"}) {
    SCOPED_TRACE(policy);
    (void)node_.remove(root_.uri());  // of the round before
    Subscriber subscriber = must(node_.subscriber(root_.uri("depth=8&policy=" + policy)));
    fail_to_publish(subscriber);
    Publisher publisher = must(node_.publisher(root_.uri("durability=persistent&name=k&grant=reject&depth=8")));
    for (std::uint64_t round = 0; round < 20; ++round) {  // more than its depth
      must(send(publisher, 64, round));
      const Sample sample = must(subscriber.take());
      ASSERT_TRUE(sample) << "it hears nothing";
      EXPECT_TRUE(is_filled(sample.payload(), round));
    }
  }
}

TEST_F(Discarded, APublisherMindsTheSubscriberThatComesUnderTheNameOfOneThatCameToNothing) {
  Publisher publisher = must(node_.publisher(root_.uri("grant=reject&depth=2")));
  must(publisher.peers());
  std::optional<Subscriber> subscriber;
  // It does not look between the one's end and the other's beginning.
  fail_to_subscribe(publisher);
  subscriber.emplace(must(node_.subscriber(root_.uri("durability=persistent&name=k&policy=lossless&depth=2"))));
  must(send(publisher, 64, 0));
  must(send(publisher, 64, 1));
  const Result<std::uint64_t> third = send(publisher, 64, 2);
  ASSERT_FALSE(third) << "the newcomer's depth was not minded";
  EXPECT_EQ(third.error().code(), ErrorCode::back_pressure);
  EXPECT_TRUE(is_filled(next_sample(*subscriber).payload(), 0));
}

TEST_F(Discarded, ARefusedPublisherLeavesNoneOfTheMemoryThatItHadReserved) {
  const Subscriber strict = must(node_.subscriber(root_.uri("policy=lossless")));
  const auto refused = node_.publisher(root_.uri("durability=persistent&name=k&grant=drop&prefault=40000"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::incompatible) << refused.error().message();
  EXPECT_EQ(root_.chunk_bytes(), 0U);
}

}  // namespace
}  // namespace weir::shm::testing
