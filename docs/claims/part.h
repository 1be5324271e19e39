// A part of a page, between two marks, that a test measures.
#pragma once

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace weir {

// The rows of its tables: what it says without the figures of one run.
inline std::vector<std::string> verdicts(const std::string& part) {
  std::vector<std::string> rows;
  std::istringstream lines(part);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("| ")) rows.push_back(line);
  }
  return rows;
}

// Expects the page to have the verdicts of what was measured, or writes that to the page.
inline void compare_or_rewrite(const std::string& page, std::string_view begin_mark, std::string_view end_mark,
                               const std::string& measured, bool rewrites) {
  std::ifstream file(page);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t begin = text.find(begin_mark);
  const std::size_t end = text.find(end_mark);
  ASSERT_TRUE(begin != std::string::npos && end != std::string::npos) << page << " has no " << begin_mark;
  const std::size_t inside = begin + begin_mark.size();
  if (rewrites) {
    text.replace(inside, end - inside, measured);
    std::ofstream(page) << text;
    return;
  }
  EXPECT_EQ(verdicts(text.substr(inside, end - inside)), verdicts(measured))
      << "the page says otherwise: write it anew with --rewrite (see the top of the test)";
}

}  // namespace weir
