#include "examples/quickstart/display.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace quickstart {
namespace {

Moment moment_at(std::uint64_t bytes) {
  return {.bytes = bytes,
          .total = 1'000'000'000,
          .seconds = 0.5,
          .counters = {{.name = "lossless", .messages = 1'234'567, .bytes = bytes, .lost = 0, .state = "receiving"},
                       {.name = "slow", .messages = 1, .bytes = 1, .lost = 99, .state = "killed"}}};
}

// Columns of a line in UTF-8 without escape sequences.
std::size_t width(const std::string& line) {
  return static_cast<std::size_t>(std::count_if(
      line.begin(), line.end(), [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }));
}

std::size_t count(const std::string& line, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = line.find(what); at != std::string::npos; at = line.find(what, at + what.size())) {
    ++found;
  }
  return found;
}

TEST(Display, NoLineIsWiderThanTheTerminal) {
  const Look look{.full = "█", .empty = "░", .colour = "", .plain = ""};
  for (std::size_t columns = 1; columns < 130; ++columns) {
    for (const std::string& line : render(moment_at(500'000'000), look, columns)) {
      EXPECT_LE(width(line), columns) << line;
    }
  }
}

TEST(Display, TheBarShowsHowFarItIs) {
  const auto bar_at = [](std::uint64_t bytes) { return render(moment_at(bytes), Look(), 100).front(); };
  EXPECT_EQ(count(bar_at(0), "#"), 0U);
  EXPECT_EQ(count(bar_at(500'000'000), "#"), count(bar_at(500'000'000), "."));
  EXPECT_EQ(count(bar_at(1'000'000'000), "."), 0U);
  EXPECT_NE(bar_at(500'000'000).find("50 %  500 of 1000 MB  1000 MB/s"), std::string::npos) << bar_at(500'000'000);
}

TEST(Display, EachSubscriberHasALineWithItsCounters) {
  const auto lines = render(moment_at(0), Look(), 100);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_NE(lines[1].find("1,234,567 messages"), std::string::npos) << lines[1];
  EXPECT_NE(lines[2].find("99 lost   killed"), std::string::npos) << lines[2];
}

}  // namespace
}  // namespace quickstart
