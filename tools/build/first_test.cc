// A file of tests beside second_test.cc in one program.
#include <gtest/gtest.h>

TEST(FirstFile, RunsOnlyItsOwnTests) {
  const testing::UnitTest& all = *testing::UnitTest::GetInstance();
  EXPECT_EQ(all.total_test_suite_count(), 2);
  EXPECT_EQ(all.test_suite_to_run_count(), 1);
}
