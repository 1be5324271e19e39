// What serialising straight into the loan saves over a string that is then sent: instructions, which do not vary, and
// bytes written.
#include <unistd.h>

#include <cstdint>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "adapters/protobuf/testing/sender.h"
#include "adapters/protobuf/testing/written_bytes.h"
#include "conformance/performance/callgrind.h"
#include "conformance/performance/temporary_root.h"

namespace weir::protobuf {
namespace {

std::string driver;  // the program that is counted, from the command line

double instructions(const std::string& way, std::uint64_t size) {
  const std::uint64_t few = size > 100'000 ? 4 : 500;
  const std::uint64_t many = 5 * few;
  const auto count = [&](std::uint64_t messages) {
    const auto counted = performance::count_instructions(
        {driver, way, std::to_string(messages), std::to_string(size)}, ::testing::TempDir(),
        fmt::format("protobuf-cost-{}-{}-{}-{}", getpid(), way, size, messages));
    if (!counted) ADD_FAILURE() << counted.error().message();
    return counted.value_or(performance::InstructionCount());
  };
  const auto short_run = count(few);
  return performance::cost_of(short_run, count(many), many - few).total;
}

// Bytes that one message makes the program write, as multiples of its size.
template <class Send>
double copies(testing::Sender& sender, Send send) {
  // What the first messages set up: the spare chunks of large ones come one by one.
  constexpr int first_ones = 32;
  for (int message = 0; message < first_ones; ++message) send(sender);
  const std::uint64_t before = testing::written_bytes();
  constexpr int messages = 10;
  for (int message = 0; message < messages; ++message) send(sender);
  return static_cast<double>(testing::written_bytes() - before) / messages / static_cast<double>(sender.size());
}

class Cost : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  const performance::TemporaryRoot root_;
};

INSTANTIATE_TEST_SUITE_P(Sizes, Cost, ::testing::Values(200, 1U << 20U),
                         [](const auto& test) { return fmt::format("{}B", test.param); });

TEST_P(Cost, IsLessThanThatOfAStringThatIsSent) {
  testing::Sender sender(GetParam());
  ASSERT_EQ(sender.size(), GetParam());
  const double string_copies = copies(sender, [](testing::Sender& each) { each.by_string(); });
  const double loan_copies = copies(sender, [](testing::Sender& each) { each.straight(); });
  const double string_instructions = instructions("string", GetParam());
  const double loan_instructions = instructions("loan", GetParam());
  ASSERT_FALSE(HasFailure());
  fmt::print("{:>9} bytes   {:>14} {:>14}\n", GetParam(), "by a string", "into the loan");
  fmt::print("{:>15}   {:14.1f} {:14.1f}\n", "instructions", string_instructions, loan_instructions);
  fmt::print("{:>15}   {:14.2f} {:14.2f}   (bytes written by memcpy, memmove and memset, of the message's size)\n",
             "copies", string_copies, loan_copies);
  EXPECT_GT(loan_instructions, 100) << "fewer than that cannot have sent a message: the count is wrong";
  EXPECT_LT(loan_instructions, string_instructions);
  EXPECT_LE(loan_copies, 1.0) << "the message is written more than once";
  EXPECT_GT(loan_copies, 0.5) << "the copies are not counted";
  EXPECT_GE(string_copies, loan_copies + 1.0) << "the string is not copied: it is no comparison";
}

}  // namespace
}  // namespace weir::protobuf

int main(int count, char** arguments) {
  ::testing::InitGoogleTest(&count, arguments);
  if (count != 2) {
    fmt::print(stderr, "usage: cost_test <cost_driver>\n");
    return 2;
  }
  weir::protobuf::driver = arguments[1];
  return RUN_ALL_TESTS();
}
