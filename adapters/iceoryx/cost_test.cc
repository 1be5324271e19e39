// What weir adds to a message over iceoryx's own untyped API, in instructions, which do not vary with the machine's
// load.
#include <unistd.h>

#include <string>

#include <fmt/format.h>

#include "adapters/iceoryx/testing/roudi_test.h"
#include "conformance/performance/callgrind.h"

namespace weir::iceoryx {
namespace {

using performance::InstructionCost;

class Cost : public RoudiTest {
 protected:
  // Under callgrind a process is too slow to keep alive in RouDi's eyes.
  void SetUp() override { roudi_ = must(RoudiProcess::start(pools(), false), "starting RouDi"); }

  // Instructions of one message.
  static InstructionCost measure(const std::string& api) {
    constexpr std::uint64_t few = 500;
    constexpr std::uint64_t many = 2'500;
    const auto count = [&](std::uint64_t messages) {
      return must(
          performance::count_instructions({"adapters/iceoryx/cost_driver", api, std::to_string(messages)},
                                          ::testing::TempDir(), fmt::format("cost-{}-{}-{}", getpid(), api, messages)),
          "counting");
    };
    const auto short_run = count(few);
    return performance::cost_of(short_run, count(many), many - few);
  }
};

TEST_F(Cost, AMessageTakesAtMost150InstructionsMoreThanThroughTheUntypedApi) {
  const InstructionCost bare = measure("bare");
  const InstructionCost ours = measure("weir");
  fmt::print("loan, publish, take and release of 64 bytes: {:.0f} instructions bare, {:.0f} through weir\n{}\n",
             bare.total, ours.total, performance::to_string(ours));
  RecordProperty("bare", fmt::format("{:.0f}", bare.total));
  RecordProperty("weir", fmt::format("{:.0f}", ours.total));
  EXPECT_GT(bare.total, 100) << "fewer than that cannot have sent a message: the count is wrong";
  EXPECT_LE(ours.total, bare.total + 150);
}

}  // namespace
}  // namespace weir::iceoryx
