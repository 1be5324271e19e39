#include "examples/quickstart/message.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

namespace quickstart {
namespace {

std::vector<Place> cut(std::uint64_t size, std::uint64_t seed) {
  std::vector<Place> places;
  Cutter cutter(size, seed);
  while (const auto place = cutter.next()) {
    places.push_back(*place);
  }
  return places;
}

class CutterTest : public testing::TestWithParam<std::uint64_t> {};

TEST_P(CutterTest, MessagesCoverTheFileOnceInOrder) {
  std::uint64_t offset = 0;
  std::uint64_t number = 0;
  for (const Place& place : cut(GetParam(), 3)) {
    EXPECT_EQ(place.number, number++);
    EXPECT_EQ(place.offset, offset);
    EXPECT_GT(place.size, 0U);
    offset += place.size;
  }
  EXPECT_EQ(offset, GetParam());
}

TEST_P(CutterTest, ThereAreEnoughToBeInTheMiddleOf) { EXPECT_GT(cut(GetParam(), 3).size(), 100U); }

INSTANTIATE_TEST_SUITE_P(Sizes, CutterTest, testing::Values(smallest_file, 4097, 20'000'000, 300'000'000));

TEST(Cutter, SizesAreMixedFromFewBytesToSomeMegabytes) {
  std::vector<std::uint64_t> sizes;
  for (const Place& place : cut(300'000'000, 1)) {
    sizes.push_back(place.size);
  }
  std::sort(sizes.begin(), sizes.end());
  EXPECT_LT(sizes.front(), 16U);
  EXPECT_GT(sizes.back(), 3U << 20U);
  EXPECT_LT(sizes[sizes.size() / 2], 16384U);
}

TEST(Cutter, TheSeedAloneDecides) {
  const auto sizes_of = [](std::uint64_t seed) {
    std::vector<std::uint64_t> sizes;
    for (const Place& place : cut(1'000'000, seed)) {
      sizes.push_back(place.size);
    }
    return sizes;
  };
  EXPECT_EQ(sizes_of(5), sizes_of(5));
  EXPECT_NE(sizes_of(5), sizes_of(6));
}

}  // namespace
}  // namespace quickstart
