// The floors carry what they claim to: in order, without loss, and no more than
// fits.
#include <gtest/gtest.h>

#include "conformance/performance/loads/stream.h"
#include "conformance/performance/peers/bare_futex.h"
#include "conformance/performance/peers/cache_line.h"
#include "conformance/performance/peers/raw_ring.h"
#include "conformance/performance/peers/slot.h"

namespace weir::performance {
namespace {

constexpr Message message{.size = 64, .touch = Touch::everything};

void ignore(std::span<std::byte>) {}

constexpr std::uint64_t capacity = 256;

template <class Ring>
struct Rings : testing::Test {};
using RingTypes = testing::Types<RawRing<64>, Slots<capacity>>;
TYPED_TEST_SUITE(Rings, RingTypes);

TYPED_TEST(Rings, AreFullAfterTheirCapacityAndHaveRoomAfterOneIsReceived) {
  const TypeParam ring;
  auto sender = ring.sender(there);
  auto receiver = ring.receiver(there);
  for (std::uint64_t number = 0; number < capacity; ++number) {
    send(sender, message, number);
  }
  EXPECT_FALSE(sender.try_send(64, ignore));
  EXPECT_TRUE(try_receive(receiver, message, 0));
  EXPECT_TRUE(sender.try_send(64, ignore));
  EXPECT_FALSE(sender.try_send(64, ignore));
}

TYPED_TEST(Rings, HaveSeparateDirections) {
  const TypeParam ring;
  auto sender = ring.sender(there);
  auto other = ring.receiver(back);
  send(sender, message, 0);
  EXPECT_FALSE(try_receive(other, message, 0));
}

TYPED_TEST(Rings, StreamBetweenProcessesWithEveryNumberInItsPlace) {
  const Task task{.load = Load::stream, .message = message, .budget = std::chrono::milliseconds(5)};
  const auto measured =
      run_crew(stream_crew(std::make_shared<const TypeParam>(), task), Placement(), std::chrono::seconds(60));
  ASSERT_TRUE(measured) << measured.error().message();
  EXPECT_GT(measured->figure, 0);
}

TEST(Content, AnotherNumberThanWasSentIsAFailure) {
  const RawRing<64> ring;
  auto sender = ring.sender(there);
  auto receiver = ring.receiver(there);
  send(sender, message, 7);
  EXPECT_THROW(try_receive(receiver, message, 8), Failure);
}

// Each side has nothing until the other has sent.
template <class Carrier>
void expect_turns(const Carrier& floor) {
  auto sender = floor.sender(there);
  auto arrives = floor.receiver(there);
  auto answerer = floor.sender(back);
  auto returns = floor.receiver(back);
  for (std::uint64_t number = 0; number < 3; ++number) {
    EXPECT_FALSE(try_receive(arrives, message, number));
    send(sender, message, number);
    EXPECT_FALSE(try_receive(returns, message, number));
    EXPECT_TRUE(try_receive(arrives, message, number));
    send(answerer, message, number);
    EXPECT_TRUE(try_receive(returns, message, number));
  }
}

TEST(CacheLine, OneForBothWaysGoesThereAndBack) { expect_turns(CacheLine(CacheLine::Lines::one_for_both_ways)); }
TEST(CacheLine, OneEachWayGoesThereAndBack) { expect_turns(CacheLine(CacheLine::Lines::one_each_way)); }
TEST(Slots, OneEachWayGoesThereAndBack) { expect_turns(Slots<1>()); }
TEST(BareFutex, GoesThereAndBack) { expect_turns(BareFutex()); }

}  // namespace
}  // namespace weir::performance
