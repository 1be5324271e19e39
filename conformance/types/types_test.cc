// TYPE: what the bytes are, agreed on at join.
#include <array>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "conformance/harness/fixture.h"
#include "transport/typed.h"

namespace weir::conformance {

struct Pose {
  double x;
  double y;
  double heading;
};

struct alignas(64) Wide {
  std::array<std::uint8_t, 64> bytes;
};

}  // namespace weir::conformance

template <>
struct weir::TypeName<weir::conformance::Pose> {
  static constexpr std::string_view value = "conformance.Pose";
};
template <>
struct weir::TypeName<weir::conformance::Wide> {
  static constexpr std::string_view value = "conformance.Wide";
};

namespace weir::conformance {

using Types = ConformanceTest;

namespace {

const TypeInfo base{.name = "conformance.Type", .size = 24, .alignment = 8, .fingerprint = 0xfeed};

// The base with one field changed.
std::array<TypeInfo, 4> others() {
  std::array<TypeInfo, 4> all{base, base, base, base};
  all[0].name = "conformance.Other";
  all[1].size = 32;
  all[2].alignment = 16;
  all[3].fingerprint = 0xbeef;
  return all;
}

}  // namespace

CONFORMANCE_TEST(Types, TypedMessagesArriveAsTheyWere, "TYPE-1") {
  NEEDS(types);
  const std::string topic = uri("topic");
  auto poses = must(TypedSubscriber<Pose>::open(node(), topic), "subscriber");
  auto source = must(TypedPublisher<Pose>::open(node(), topic), "publisher");
  ASSERT_TRUE(source.untyped().wait_for_subscribers(1, never));
  auto loan = must(source.loan(), "loan");
  *loan = {.x = 1.5, .y = -2.25, .heading = 0.125};
  must(loan.publish(), "publish");
  must(source.send({.x = 3, .y = 4, .heading = 5}), "send");
  const auto first = must(poses.take(), "take");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->y, -2.25);
  const auto second = must(poses.take(), "take");
  ASSERT_TRUE(second);
  EXPECT_EQ(second->heading, 5);
  EXPECT_FALSE(must(poses.take(), "take"));
}

CONFORMANCE_TEST(Types, OverAlignedTypesAreAligned, "TYPE-1") {
  NEEDS(types);
  const std::string topic = uri("topic");
  auto sink = must(TypedSubscriber<Wide>::open(node(), topic), "subscriber");
  auto source = must(TypedPublisher<Wide>::open(node(), topic), "publisher");
  ASSERT_TRUE(source.untyped().wait_for_subscribers(1, never));
  for (std::uint8_t round = 0; round < 5; ++round) {
    auto loan = must(source.loan(), "loan");
    loan->bytes[63] = round;
    must(loan.publish(), "publish");
    const auto sample = must(sink.take(), "take");
    ASSERT_TRUE(sample);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(sample.untyped().payload().data()) % alignof(Wide), 0U);
    EXPECT_EQ(sample->bytes[63], round);
  }
}

CONFORMANCE_TEST(Types, ADifferenceInAnyFieldIsRefusedAtJoin, "TYPE-2") {
  NEEDS(types);
  {
    const Publisher publisher = this->publisher(uri("publisher-first"), {.type = base});
    for (const TypeInfo& other : others()) {
      const auto refused = node().subscriber(uri("publisher-first"), {.type = other});
      ASSERT_FALSE(refused) << other.name << ' ' << other.size << ' ' << other.alignment << ' ' << other.fingerprint;
      EXPECT_EQ(refused.error().code(), ErrorCode::incompatible);
    }
    EXPECT_TRUE(node().subscriber(uri("publisher-first"), {.type = base}));
  }
  const Subscriber subscriber = this->subscriber(uri("subscriber-first"), {.type = base});
  for (const TypeInfo& other : others()) {
    const auto refused = node().publisher(uri("subscriber-first"), {.type = other});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::incompatible);
  }
  EXPECT_TRUE(node().publisher(uri("subscriber-first"), {.type = base}));
}

CONFORMANCE_TEST(Types, ARefusalNamesBothTypes, "TYPE-3") {
  NEEDS(types);
  const Publisher publisher = this->publisher(uri("topic"), {.type = base});
  const auto refused = node().subscriber(uri("topic"), {.type = others()[0]});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("conformance.Type"), std::string::npos) << refused.error().message();
  EXPECT_NE(refused.error().message().find("conformance.Other"), std::string::npos) << refused.error().message();
  EXPECT_NE(refused.error().message().find("topic"), std::string::npos) << refused.error().message();
}

CONFORMANCE_TEST(Types, WhoStatesNoTypeJoinsEverybody, "TYPE-4") {
  const std::string topic = uri("topic");
  Subscriber untyped = subscriber(topic);
  Publisher publisher =
      this->publisher(topic, has(feature::types) ? PublisherOptions{.type = base} : PublisherOptions{});
  ASSERT_TRUE(publisher.wait_for_subscribers(1, never));
  must(publisher.send({}), "send");
  EXPECT_TRUE(must(untyped.take(), "take"));
}

CONFORMANCE_TEST(Types, TheTypeOfAnotherProcessIsSeen, "TYPE-2") {
  NEEDS(types);
  ScriptedPeer& other = peer("other");
  other.publisher(uri("topic", "type=conformance.Remote"));
  const auto refused = node().subscriber(uri("topic"), {.type = TypeInfo{.name = "conformance.Local"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::incompatible);
  EXPECT_TRUE(other.try_subscriber(uri("topic", "type=conformance.Local")).is(ErrorCode::incompatible));
  EXPECT_TRUE(other.try_subscriber(uri("topic", "type=conformance.Remote")));
}

CONFORMANCE_TEST(Types, APublisherBesideAnotherIsRefusedForTheTypeOfASubscriber, "TYPE-2") {
  NEEDS(types);
  const Publisher first = publisher(uri("topic"), {.type = base});
  const Subscriber subscriber = this->subscriber(uri("topic"), {.type = base});
  for (const TypeInfo& other : others()) {
    const auto refused = node().publisher(uri("topic"), {.type = other});
    ASSERT_FALSE(refused) << other.name << ' ' << other.size << ' ' << other.alignment << ' ' << other.fingerprint;
    EXPECT_EQ(refused.error().code(), ErrorCode::incompatible);
  }
}

CONFORMANCE_TEST(Types, TheTypeIsFreeAgainWhenItsLastUserIsGone, "TYPE-5") {
  NEEDS(types);
  for (const TypeInfo& type : others()) {
    const Publisher publisher = this->publisher(uri("topic"), {.type = type});
    EXPECT_TRUE(node().subscriber(uri("topic"), {.type = type}));
  }
}

CONFORMANCE_TEST(Types, ATypedTakeRefusesASampleOfAnotherSize, "TYPE-6") {
  NEEDS(types);
  const std::string topic = uri("topic");
  Publisher untyped = publisher(topic);
  auto poses = must(TypedSubscriber<Pose>::open(node(), topic), "subscriber");
  ASSERT_TRUE(untyped.wait_for_subscribers(1, never));
  must(untyped.send(std::array<std::byte, 7>{}), "send");
  const auto refused = poses.take();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::incompatible);
  must(untyped.send(std::array<std::byte, sizeof(Pose)>{}), "send");
  EXPECT_TRUE(must(poses.take(), "take"));
}

}  // namespace weir::conformance
