// The floors carry what they claim to: in order, without loss, and no more than fits.
#include <gtest/gtest.h>

#include "conformance/performance/loads/load.h"
#include "conformance/performance/loads/throughput.h"
#include "conformance/performance/peers/bare_futex.h"
#include "conformance/performance/peers/cache_line.h"
#include "conformance/performance/peers/raw_ring.h"

namespace weir::performance {
namespace {

constexpr Message message{.size = 64, .touch = Touch::everything};

void ignore(std::span<std::byte>) {}

TEST(RawRing, IsFullAfterItsCapacityAndHasRoomAfterOneIsReceived) {
  const RawRing ring;
  auto sender = ring.sender(Direction::there);
  auto receiver = ring.receiver(Direction::there);
  for (std::uint64_t number = 0; number < RawRing::capacity; ++number) {
    send(sender, message, number);
  }
  EXPECT_FALSE(sender.try_send(64, ignore));
  EXPECT_TRUE(try_receive(receiver, message, 0));
  EXPECT_TRUE(sender.try_send(64, ignore));
  EXPECT_FALSE(sender.try_send(64, ignore));
}

TEST(RawRing, DirectionsAreSeparate) {
  const RawRing ring;
  auto there = ring.sender(Direction::there);
  auto back = ring.receiver(Direction::back);
  send(there, message, 0);
  EXPECT_FALSE(try_receive(back, message, 0));
}

TEST(RawRing, StreamsBetweenProcessesWithEveryNumberInItsPlace) {
  const auto figure = run_pair(throughput(std::make_shared<const RawRing>(), message, std::chrono::milliseconds(5)),
                               Placement(), std::chrono::seconds(60));
  ASSERT_TRUE(figure) << figure.error().message();
  EXPECT_GT(*figure, 0);
}

TEST(Content, AnotherNumberThanWasSentIsAFailure) {
  const RawRing ring;
  auto sender = ring.sender(Direction::there);
  auto receiver = ring.receiver(Direction::there);
  send(sender, message, 7);
  EXPECT_THROW(try_receive(receiver, message, 8), Failure);
}

// Each side has nothing until the other has sent.
template <class Carrier>
void expect_turns(const Carrier& floor) {
  auto there = floor.sender(Direction::there);
  auto arrives = floor.receiver(Direction::there);
  auto back = floor.sender(Direction::back);
  auto returns = floor.receiver(Direction::back);
  for (std::uint64_t number = 0; number < 3; ++number) {
    EXPECT_FALSE(try_receive(arrives, message, number));
    send(there, message, number);
    EXPECT_FALSE(try_receive(returns, message, number));
    EXPECT_TRUE(try_receive(arrives, message, number));
    send(back, message, number);
    EXPECT_TRUE(try_receive(returns, message, number));
  }
}

TEST(CacheLine, OneForBothWaysGoesThereAndBack) { expect_turns(CacheLine(CacheLine::Lines::one_for_both_ways)); }
TEST(CacheLine, OneEachWayGoesThereAndBack) { expect_turns(CacheLine(CacheLine::Lines::one_each_way)); }
TEST(BareFutex, GoesThereAndBack) { expect_turns(BareFutex()); }

}  // namespace
}  // namespace weir::performance
