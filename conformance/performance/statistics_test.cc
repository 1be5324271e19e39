#include "conformance/performance/statistics.h"

#include <gtest/gtest.h>

namespace weir::performance {
namespace {

TEST(Statistics, MedianIsTheMiddleValueInWhateverOrder) {
  EXPECT_EQ(median({3}), 3);
  EXPECT_EQ(median({9, 1, 5}), 5);
  EXPECT_EQ(median({1, 2, 1000, 3, 4}), 3);
}

TEST(Statistics, MedianOfAnEvenNumberIsTheMeanOfTheTwoInTheMiddle) {
  EXPECT_EQ(median({4, 1}), 2.5);
  EXPECT_EQ(median({8, 2, 100, 4}), 6);
}

TEST(Statistics, RatioComparesWithinARoundSoThatASlowRoundDoesNotMatter) {
  const std::vector<double> values = {20, 200, 22};
  const std::vector<double> references = {10, 100, 10};  // the second round was ten times as slow
  EXPECT_EQ(median_ratio(values, references), 2.0);
  EXPECT_EQ(median_ratio(references, references), 1.0);
}

}  // namespace
}  // namespace weir::performance
