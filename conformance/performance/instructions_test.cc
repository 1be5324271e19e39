// How many instructions a message takes. They do not vary, so this finds a hot
// path that has grown on any machine.
#include <unistd.h>

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/performance/callgrind.h"

namespace weir::performance {
namespace {

std::string driver;  // the program that is counted, from the command line

// Instructions of one message, with `idle` subscribers beside the one that
// takes it.
InstructionCost measure(std::uint64_t idle) {
  // Some hundred times the messages between two reclaims, so that those are
  // spread evenly.
  constexpr std::uint64_t few = 20'000;
  constexpr std::uint64_t many = 60'000;
  const auto count = [idle](std::uint64_t messages) {
    const auto counted =
        count_instructions({driver, "--messages", std::to_string(messages), "--idle", std::to_string(idle)},
                           ::testing::TempDir(), fmt::format("instructions-{}-{}-{}", getpid(), idle, messages));
    if (!counted) {
      ADD_FAILURE() << counted.error().message();
    }
    return counted.value_or(InstructionCount());
  };
  const InstructionCount short_run = count(few);
  return cost_of(short_run, count(many), many - few);
}

const InstructionCost& cost_without_idle_subscribers() {
  static const InstructionCost cost = measure(0);
  return cost;
}

TEST(Instructions, LoanPublishTakeAndReleaseOf64BytesTakeAtMost300) {
  const InstructionCost& cost = cost_without_idle_subscribers();
  ASSERT_FALSE(HasFailure());
  fmt::print(
      "instructions for loan, publish, take and release of 64 bytes "
      "over shm, through the URI API\n{}\n",
      to_string(cost));
  EXPECT_GT(cost.total, 20) << "fewer than that cannot have sent a message: the count is wrong";
  EXPECT_LE(cost.total, 300);
}

TEST(Instructions, IdleSubscribersCostAPublishAtMostATenthMore) {
  const InstructionCost& alone = cost_without_idle_subscribers();
  const InstructionCost watched = measure(64);
  ASSERT_FALSE(HasFailure());
  fmt::print("{:.1f} instructions alone, {:.1f} with 64 idle subscribers\n", alone.total, watched.total);
  EXPECT_GT(alone.total, 20);
  EXPECT_LE(watched.total, 1.1 * alone.total);
}

}  // namespace
}  // namespace weir::performance

int main(int count, char** arguments) {
  ::testing::InitGoogleTest(&count, arguments);
  if (count != 2) {
    fmt::print(stderr, "usage: instructions_test <instructions_driver>\n");
    return 2;
  }
  weir::performance::driver = arguments[1];
  return RUN_ALL_TESTS();
}
