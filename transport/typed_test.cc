// Publishers and subscribers of one type: they agree on it at join, and hand out objects instead of bytes.
#include "transport/typed.h"

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "transport/inproc/test_support.h"

namespace {

struct Pose {
  double x = 0;
  double y = 0;
  std::uint32_t frame = 7;
};

struct alignas(256) Aligned {
  std::uint8_t value = 0;
};

struct OtherPose {
  float x = 0;
};

}  // namespace

template <>
struct weir::TypeName<Pose> {
  static constexpr std::string_view value = "robot.Pose";
};
template <>
struct weir::TypeName<Aligned> {
  static constexpr std::string_view value = "test.Aligned";
};
// The same name for something else, as when one side was not rebuilt.
template <>
struct weir::TypeName<OtherPose> {
  static constexpr std::string_view value = "robot.Pose";
};

namespace weir {
namespace {

using testing_support::bytes;
using testing_support::fails;
using testing_support::must;
using testing_support::soon;

class TypedTest : public testing_support::InprocTest {};

TEST_F(TypedTest, ObjectsArriveAsTheyWereSent) {
  auto publisher = must(TypedPublisher<Pose>::open(node, "inproc://pose"));
  auto subscriber = must(TypedSubscriber<Pose>::open(node, "inproc://pose"));
  EXPECT_FALSE(must(subscriber.take()));
  auto loan = must(publisher.loan());
  EXPECT_EQ(loan->frame, 7U) << "the object in a loan is initialised";
  loan->x = 1.5;
  (*loan).y = -2;
  EXPECT_EQ(must(loan.publish()), 0U);
  EXPECT_EQ(must(publisher.send({.x = 3, .y = 4, .frame = 5})), 1U);

  EXPECT_EQ(must(subscriber.wait(soon())), Wake::ready);
  const auto first = must(subscriber.take());
  ASSERT_TRUE(first);
  EXPECT_EQ(first->x, 1.5);
  EXPECT_EQ((*first).y, -2);
  EXPECT_EQ(first.untyped().sequence(), 0U);
  EXPECT_EQ(must(subscriber.take())->frame, 5U);
}

TEST_F(TypedTest, ObjectsAreAlignedAsTheirTypeWants) {
  auto publisher = must(TypedPublisher<Aligned>::open(node, "inproc://t"));
  auto subscriber = must(TypedSubscriber<Aligned>::open(node, "inproc://t"));
  auto loan = must(publisher.loan());
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&*loan) % 256, 0U);
  must(loan.publish());
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&*must(subscriber.take())) % 256, 0U);
}

TEST_F(TypedTest, SentObjectsAreAlignedAsTheirTypeWants) {
  auto publisher = must(TypedPublisher<Aligned>::open(node, "inproc://t"));
  Subscriber subscriber = must(node.subscriber("inproc://t"));
  for (std::uint8_t round = 0; round < 8; ++round) must(publisher.send({.value = round}));
  for (std::uint8_t round = 0; round < 8; ++round) {
    const Sample sample = must(subscriber.take());
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(sample.payload().data()) % 256, 0U);
  }
}

TEST_F(TypedTest, ObjectsOfAPeerThatDoesNotAlignThemAreAlignedAllTheSame) {
  Publisher untyped = must(node.publisher("inproc://t"));
  auto subscriber = must(TypedSubscriber<Aligned>::open(node, "inproc://t"));
  for (std::uint8_t round = 0; round < 8; ++round) {
    const Aligned object{.value = round};
    must(untyped.send(std::as_bytes(std::span(&object, 1))));
  }
  for (std::uint8_t round = 0; round < 8; ++round) {
    const auto sample = must(subscriber.take());
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&*sample) % 256, 0U);
    EXPECT_EQ(sample->value, round);
  }
}

TEST_F(TypedTest, OtherTypeIsRefusedAtJoinAlsoUnderTheSameName) {
  auto publisher = must(TypedPublisher<Pose>::open(node, "inproc://t"));
  EXPECT_TRUE(fails(TypedSubscriber<Aligned>::open(node, "inproc://t"), ErrorCode::incompatible,
                    {"robot.Pose", "test.Aligned"}));
  EXPECT_TRUE(fails(TypedSubscriber<OtherPose>::open(node, "inproc://t"), ErrorCode::incompatible, {"robot.Pose"}));
  EXPECT_TRUE(fails(TypedPublisher<OtherPose>::open(node, "inproc://t"), ErrorCode::incompatible));
}

TEST_F(TypedTest, TypeInTheUriMustBeThatOfTheObject) {
  must(TypedPublisher<Pose>::open(node, "inproc://t?type=robot.Pose"));
  EXPECT_TRUE(fails(TypedPublisher<Pose>::open(node, "inproc://t?type=other"), ErrorCode::invalid_argument));
}

TEST_F(TypedTest, SampleOfAnotherSizeFromAnUntypedPeerIsAnErrorAndNotAnObject) {
  Publisher untyped = must(node.publisher("inproc://t"));
  auto subscriber = must(TypedSubscriber<Pose>::open(node, "inproc://t"));
  must(untyped.send(bytes("abc")));
  EXPECT_TRUE(fails(subscriber.take(), ErrorCode::incompatible, {"inproc://t", "3 bytes", "robot.Pose"}));
  EXPECT_FALSE(must(subscriber.take())) << "it is taken all the same, so that it does not block the way";
}

TEST_F(TypedTest, OptionsInCodeAreKept) {
  auto publisher = must(TypedPublisher<Pose>::open(node, "inproc://t", {.history = 3}));
  EXPECT_EQ(publisher.untyped().qos().history, 3U);
  EXPECT_EQ(publisher.untyped().qos().type->size, sizeof(Pose));
  EXPECT_EQ(publisher.untyped().qos().type->alignment, alignof(Pose));
  auto subscriber = must(TypedSubscriber<Pose>::open(node, "inproc://t", {.depth = 3}));
  EXPECT_EQ(subscriber.untyped().qos().depth, 3U);
}

}  // namespace
}  // namespace weir
