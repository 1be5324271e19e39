// What the adapter costs over bare libzmq, in instructions: they do not vary.
#include <unistd.h>

#include <cstdint>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/performance/callgrind.h"

namespace weir::zeromq {
namespace {

std::string driver;  // the program that is counted, from the command line

// Instructions of one message: what sets up and ends is in both runs.
performance::InstructionCost measure(const std::string& over, std::uint64_t size) {
  constexpr std::uint64_t few = 2'000;
  constexpr std::uint64_t many = 12'000;
  const auto count = [&](std::uint64_t messages) {
    const auto counted = performance::count_instructions(
        {driver, over, std::to_string(messages), std::to_string(size)}, ::testing::TempDir(),
        fmt::format("cost-{}-{}-{}-{}", getpid(), over, size, messages));
    if (!counted) ADD_FAILURE() << counted.error().message();
    return counted.value_or(performance::InstructionCount());
  };
  const auto short_run = count(few);
  return performance::cost_of(short_run, count(many), many - few);
}

class CostOfTheAdapter : public ::testing::TestWithParam<std::uint64_t> {};

INSTANTIATE_TEST_SUITE_P(Sizes, CostOfTheAdapter, ::testing::Values(64, 4096),
                         [](const auto& test) { return fmt::format("{}B", test.param); });

TEST_P(CostOfTheAdapter, IsAtMost150InstructionsAMessage) {
  const auto bare = measure("bare", GetParam());
  const auto adapter = measure("raw", GetParam());
  ASSERT_FALSE(HasFailure());
  fmt::print("{} bytes: {:.1f} instructions over bare libzmq, {:.1f} with the adapter: it adds {:.1f}\n", GetParam(),
             bare.total, adapter.total, adapter.total - bare.total);
  if (adapter.total - bare.total > 150) fmt::print("{}\nbare:\n{}\n", to_string(adapter), to_string(bare));
  EXPECT_GT(bare.total, 100) << "fewer than that cannot have sent a message: the count is wrong";
  EXPECT_GT(adapter.total, bare.total);
  EXPECT_LE(adapter.total - bare.total, 150);
}

// A copy would cost tens of thousands. (frames_test.cc compares the addresses of what was lent and what arrives.)
TEST(CopiesOfTheAdapter, AreNoneOfAMebibyte) {
  constexpr std::uint64_t size = 1U << 20U;
  const double bare = measure("bare", size).total;
  const double adapter = measure("raw", size).total;
  ASSERT_FALSE(HasFailure());
  fmt::print("{} bytes: {:.1f} instructions over bare libzmq, {:.1f} with the adapter\n", size, bare, adapter);
  EXPECT_GT(bare, 100);
  EXPECT_LT(adapter - bare, 2000);
}

TEST(CostOfFrames, IsShownForTopicsAndEnvelopes) {
  constexpr std::uint64_t size = 64;
  const double bare = measure("bare", size).total;
  for (const char* over : {"topic", "envelope"}) {
    const double cost = measure(over, size).total - bare;
    fmt::print("{} bytes, {}: {:.1f} instructions more than one bare frame\n", size, over, cost);
    EXPECT_GT(cost, 100) << "a second frame was not sent";
    EXPECT_LT(cost, 3000);
  }
}

}  // namespace
}  // namespace weir::zeromq

int main(int count, char** arguments) {
  ::testing::InitGoogleTest(&count, arguments);
  if (count != 2) {
    fmt::print(stderr, "usage: cost_test <cost_driver>\n");
    return 2;
  }
  weir::zeromq::driver = arguments[1];
  return RUN_ALL_TESTS();
}
