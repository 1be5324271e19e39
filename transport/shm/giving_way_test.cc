#include "transport/shm/giving_way.h"

#include <vector>

#include <gtest/gtest.h>

namespace weir::shm {
namespace {

TEST(GivingWay, InVainItIsLeftOutForTwiceAsLongEachTimeAndAtLastForAThousandWaits) {
  GivingWay giving_way;
  std::vector<int> waits_between;
  int left_out = 0;
  for (int wait = 0; wait < 5000; ++wait) {
    bool gave_way = false;
    EXPECT_FALSE(giving_way.until([&] {
      gave_way = true;
      return false;
    }));
    if (gave_way) {
      waits_between.push_back(left_out);
      left_out = 0;
    } else {
      ++left_out;
    }
  }
  EXPECT_EQ(waits_between, (std::vector<int>{0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 1023, 1023}));
}

TEST(GivingWay, WhatCameMeanwhileIsTold) {
  GivingWay giving_way;
  EXPECT_TRUE(giving_way.until([] { return true; }));
}

}  // namespace
}  // namespace weir::shm
