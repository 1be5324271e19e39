// What serialising straight into the loan saves over a string that is then sent: instructions, which do not vary, and
// bytes written.
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "adapters/protobuf/testing/sender.h"
#include "adapters/protobuf/testing/written_bytes.h"
#include "adapters/testing/counted_parts.h"
#include "conformance/performance/temporary_root.h"

namespace weir::protobuf {
namespace {

std::string driver;  // the program that is counted, from the command line

struct Instructions {
  double by_string = 0;
  double straight = 0;
};

constexpr std::uint64_t small = 200;
constexpr std::uint64_t large = 1U << 20U;

// Of one message, by either way and of either size: all counted in one run of the program.
std::map<std::uint64_t, Instructions> count_instructions() {
  struct Part {
    std::uint64_t size;
    std::uint64_t messages;
  };
  const std::vector<Part> parts{{.size = small, .messages = 500}, {.size = large, .messages = 4}};
  std::vector<std::string> command{driver};
  for (const Part& part : parts) {
    for (const char* const way : {"string", "loan"}) {
      command.insert(command.end(), {way, std::to_string(part.messages), std::to_string(part.size)});
    }
  }
  const auto counted = weir::testing::count_parts(command, ::testing::TempDir());
  if (!counted) throw std::runtime_error(counted.error().message());
  std::map<std::uint64_t, Instructions> found;
  auto next = counted->begin();
  for (const Part& part : parts) {
    Instructions& of_size = found[part.size];
    for (double* const way : {&of_size.by_string, &of_size.straight}) {
      if (next == counted->end()) throw std::runtime_error("not every part was counted");
      *way = static_cast<double>(*next++) / static_cast<double>(part.messages);
    }
  }
  return found;
}

const Instructions& instructions(std::uint64_t size) {
  static const auto counted = count_instructions();
  return counted.at(size);
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

INSTANTIATE_TEST_SUITE_P(Sizes, Cost, ::testing::Values(small, large),
                         [](const auto& test) { return fmt::format("{}B", test.param); });

TEST_P(Cost, IsLessThanThatOfAStringThatIsSent) {
  testing::Sender sender(GetParam());
  ASSERT_EQ(sender.size(), GetParam());
  const double string_copies = copies(sender, [](testing::Sender& each) { each.by_string(); });
  const double loan_copies = copies(sender, [](testing::Sender& each) { each.straight(); });
  const auto [string_instructions, loan_instructions] = instructions(GetParam());
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
