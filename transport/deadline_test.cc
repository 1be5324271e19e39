// Points in time up to which a call may wait, and the ends of what can be represented.
#include "transport/deadline.h"

#include <chrono>

#include <gtest/gtest.h>

namespace weir {
namespace {

using namespace std::chrono_literals;

TEST(DeadlineTest, NeverIsNeverPassedAndAtOnceAlways) {
  EXPECT_FALSE(passed(never));
  EXPECT_TRUE(passed(at_once));
}

TEST(DeadlineTest, AfterIsThatLongFromNow) {
  const auto before = std::chrono::steady_clock::now();
  const Deadline deadline = after(1h);
  EXPECT_GE(deadline, before + 1h);
  EXPECT_LE(deadline, std::chrono::steady_clock::now() + 1h);
  EXPECT_FALSE(passed(deadline));
}

TEST(DeadlineTest, NothingAndLessThanNothingHavePassed) {
  EXPECT_TRUE(passed(after(0ns)));
  EXPECT_TRUE(passed(after(-1h)));
  EXPECT_TRUE(passed(after(std::chrono::nanoseconds::min())));
}

TEST(DeadlineTest, DurationBeyondTheClockMeansNever) {
  EXPECT_EQ(after(std::chrono::nanoseconds::max()), never);
  EXPECT_EQ(after(std::chrono::nanoseconds::max() - 1ns), never);
}

}  // namespace
}  // namespace weir
