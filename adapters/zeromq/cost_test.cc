// What the adapter costs over bare libzmq, in instructions: they do not vary.
#include <unistd.h>

#include <compare>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "adapters/testing/counted_parts.h"
#include "conformance/performance/callgrind.h"

namespace weir::zeromq {
namespace {

std::string driver;  // the program that is counted, from the command line

constexpr std::uint64_t mebibyte = 1U << 20U;

struct Way {
  std::string over;
  std::uint64_t size = 0;
  auto operator<=>(const Way&) const = default;
};

// Instructions of one message, by each way: all counted in one run of the program.
const std::map<Way, double>& costs() {
  static const std::map<Way, double> all = [] {
    constexpr std::uint64_t messages = 2'000;
    const std::vector<Way> ways{{"bare", 64},   {"raw", 64},   {"topic", 64},      {"envelope", 64},
                                {"bare", 4096}, {"raw", 4096}, {"bare", mebibyte}, {"raw", mebibyte}};
    std::vector<std::string> command{driver, std::to_string(messages)};
    for (const Way& way : ways) command.insert(command.end(), {way.over, std::to_string(way.size)});
    const auto counted = testing::count_parts(command, ::testing::TempDir());
    if (!counted) throw std::runtime_error(counted.error().message());
    if (counted->size() != ways.size()) throw std::runtime_error(fmt::format("{} parts", counted->size()));
    std::map<Way, double> found;
    for (std::size_t at = 0; at < ways.size(); ++at) {
      found[ways[at]] = static_cast<double>((*counted)[at]) / static_cast<double>(messages);
    }
    return found;
  }();
  return all;
}

double cost(const std::string& over, std::uint64_t size) { return costs().at({over, size}); }

// By function, for people: what two runs of the program differ in.
std::string explanation(const Way& way) {
  constexpr std::uint64_t few = 2'000;
  constexpr std::uint64_t many = 12'000;
  const auto count = [&](std::uint64_t messages) {
    return performance::count_instructions({driver, std::to_string(messages), way.over, std::to_string(way.size)},
                                           ::testing::TempDir(),
                                           fmt::format("cost-{}-{}-{}-{}", getpid(), way.over, way.size, messages))
        .value_or(performance::InstructionCount());
  };
  return to_string(performance::cost_of(count(few), count(many), many - few));
}

class CostOfTheAdapter : public ::testing::TestWithParam<std::uint64_t> {};

INSTANTIATE_TEST_SUITE_P(Sizes, CostOfTheAdapter, ::testing::Values(64, 4096),
                         [](const auto& test) { return fmt::format("{}B", test.param); });

TEST_P(CostOfTheAdapter, IsAtMost150InstructionsAMessage) {
  const double bare = cost("bare", GetParam());
  const double adapter = cost("raw", GetParam());
  fmt::print("{} bytes: {:.1f} instructions over bare libzmq, {:.1f} with the adapter: it adds {:.1f}\n", GetParam(),
             bare, adapter, adapter - bare);
  if (adapter - bare > 150) {
    fmt::print("{}\nbare:\n{}\n", explanation({"raw", GetParam()}), explanation({"bare", GetParam()}));
  }
  EXPECT_GT(bare, 100) << "fewer than that cannot have sent a message: the count is wrong";
  EXPECT_GT(adapter, bare);
  EXPECT_LE(adapter - bare, 150);
}

// A copy would cost tens of thousands. (frames_test.cc compares the addresses of what was lent and what arrives.)
TEST(CopiesOfTheAdapter, AreNoneOfAMebibyte) {
  constexpr std::uint64_t size = mebibyte;
  const double bare = cost("bare", size);
  const double adapter = cost("raw", size);
  fmt::print("{} bytes: {:.1f} instructions over bare libzmq, {:.1f} with the adapter\n", size, bare, adapter);
  EXPECT_GT(bare, 100);
  EXPECT_LT(adapter - bare, 2000);
}

TEST(CostOfFrames, IsShownForTopicsAndEnvelopes) {
  constexpr std::uint64_t size = 64;
  for (const char* over : {"topic", "envelope"}) {
    const double more = cost(over, size) - cost("bare", size);
    fmt::print("{} bytes, {}: {:.1f} instructions more than one bare frame\n", size, over, more);
    EXPECT_GT(more, 100) << "a second frame was not sent";
    EXPECT_LT(more, 3000);
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
