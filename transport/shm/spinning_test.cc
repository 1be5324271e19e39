#include "transport/shm/spinning.h"

#include <chrono>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace weir::shm {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

class SpinningWhereThereAreProcessors : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::thread::hardware_concurrency() < 2) {
      GTEST_SKIP() << "on one processor nobody spins";
    }
  }

  // So many waits that take this long whether one spins or not.
  void note(int waits, std::chrono::nanoseconds gap) {
    for (int wait = 0; wait < waits; ++wait) {
      spinning_.note(gap);
    }
  }

  Spinning spinning_{Spinning::Tries::now_and_then};
};

TEST_F(SpinningWhereThereAreProcessors, PaysAtFirstAndWhileWaitsAreShort) {
  EXPECT_TRUE(spinning_.pays());
  note(100, microseconds(10));
  EXPECT_TRUE(spinning_.pays());
  EXPECT_FALSE(spinning_.is_try());
}

TEST_F(SpinningWhereThereAreProcessors, DoesNotPayWhereWaitsAreLong) {
  note(4, microseconds(100));
  EXPECT_FALSE(spinning_.pays());
}

TEST_F(SpinningWhereThereAreProcessors, WhereWaitsAreLongItIsTriedMoreSeldomEachTimeAndAtLastEveryThousandWaits) {
  note(1, microseconds(100));
  std::vector<int> waits_between;
  int left_out = 0;
  bool before = false;
  for (int wait = 0; wait < 6000; ++wait) {
    const bool tries = spinning_.is_try();
    if (tries && !before) {
      waits_between.push_back(left_out);
      left_out = 0;
    }
    left_out += tries ? 0 : 1;
    before = tries;
    spinning_.note(microseconds(90));
  }
  EXPECT_EQ(waits_between, (std::vector<int>{7, 16, 32, 64, 128, 256, 512, 1024, 1024, 1024, 1024}));
}

TEST_F(SpinningWhereThereAreProcessors, PaysOnceATryWasASuccessHoweverLongTheWaitsBeforeIt) {
  note(1, seconds(10));
  while (!spinning_.is_try()) {
    note(1, microseconds(100));
  }
  note(4, microseconds(1));
  EXPECT_TRUE(spinning_.pays());
  EXPECT_FALSE(spinning_.is_try());
}

TEST_F(SpinningWhereThereAreProcessors, IsNeverTriedByOneWhomNobodyAnswers) {
  Spinning unanswered(Spinning::Tries::none);
  for (int wait = 0; wait < 6000; ++wait) {
    EXPECT_EQ(unanswered.pays(), wait == 0);
    unanswered.note(microseconds(90));
  }
}

TEST_F(SpinningWhereThereAreProcessors, ATryThatIsEndedIsOver) {
  note(1, seconds(10));
  while (!spinning_.is_try()) {
    note(1, microseconds(100));
  }
  spinning_.end_try();
  EXPECT_FALSE(spinning_.pays());
}

TEST_F(SpinningWhereThereAreProcessors, IsTriedSoonAgainOnlyWhereItPaidForLong) {
  const auto waits_until_a_try = [this] {
    int waits = 0;
    for (; !spinning_.is_try(); ++waits) {
      note(1, microseconds(100));
    }
    return waits;
  };
  const auto succeed = [this](int waits) {
    note(4, microseconds(1));
    EXPECT_FALSE(spinning_.is_try());
    note(waits, microseconds(1));
  };
  note(1, seconds(10));
  const int first = waits_until_a_try();
  succeed(10);
  const int second = waits_until_a_try();
  EXPECT_GT(second, first);
  succeed(10);
  EXPECT_GT(waits_until_a_try(), second);
  succeed(1000);
  EXPECT_LE(waits_until_a_try(), first + 1);
}

// Who sleeps is woken late; who spins has what is sent at once.
TEST_F(SpinningWhereThereAreProcessors, TwoThatAnswerOneAnotherComeToDoWithoutSleeping) {
  constexpr microseconds late(30);
  constexpr microseconds at_once(1);
  Spinning one(Spinning::Tries::now_and_then);
  Spinning other(Spinning::Tries::now_and_then);
  one.note(seconds(1));  // the other was not there yet
  bool sleeps = true;
  int waits = 0;
  for (; sleeps && waits < 1000; ++waits) {
    const bool one_sleeps = !one.pays();
    const bool other_sleeps = !other.pays();
    // Each waits until the other is awake to answer, and until it is itself.
    const auto gap = (one_sleeps ? late : at_once) + (other_sleeps ? late : at_once);
    one.note(gap);
    other.note(gap);
    sleeps = !one.pays() || !other.pays() || one.is_try() || other.is_try();
  }
  EXPECT_LT(waits, 1000);
}

TEST_F(SpinningWhereThereAreProcessors, GivesUpAfterTwiceAsLongAsWaitsTookAndWithinItsDeadline) {
  const auto patience = [this](std::chrono::nanoseconds least, std::chrono::nanoseconds most) {
    const Deadline before = after(std::chrono::nanoseconds(0));
    const Deadline end = spinning_.end(after(seconds(1)));
    EXPECT_GE(end, before + least);
    EXPECT_LE(end, after(most));
  };
  note(100, microseconds(8));
  patience(microseconds(15), microseconds(16));
  note(100, microseconds(1));
  patience(microseconds(5), microseconds(5));
  note(1, seconds(10));
  patience(microseconds(40), microseconds(40));
  while (!spinning_.is_try()) {
    note(1, microseconds(100));
  }
  patience(microseconds(100), microseconds(100));
  const Deadline now = after(std::chrono::nanoseconds(0));
  EXPECT_EQ(spinning_.end(now), now);
}

}  // namespace
}  // namespace weir::shm
