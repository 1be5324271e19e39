// main() of a test whose program holds the tests of several sources: --of_file=PATH runs those of one.
//
// PATH is a source as it was named to the compiler, without what is before the repository's root. A filter of the
// user's
// (--gtest_filter, or Bazel's --test_filter) holds besides. A file without tests is an error, and so is a file that is
// named twice.
#include <iostream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace {

constexpr std::string_view option = "--of_file=";

bool is_of(const testing::TestInfo& test, std::string_view file) {
  const std::string_view source = test.file();
  return source == file || source.ends_with("/" + std::string(file));
}

// Leaves out all tests but those of `file`; false if there are none.
bool run_only(std::string_view file) {
  std::string others;
  bool has_tests = false;
  const testing::UnitTest& all = *testing::UnitTest::GetInstance();
  for (int suite = 0; suite < all.total_test_suite_count(); ++suite) {
    const testing::TestSuite& tests = *all.GetTestSuite(suite);
    for (int test = 0; test < tests.total_test_count(); ++test) {
      const testing::TestInfo& one = *tests.GetTestInfo(test);
      if (is_of(one, file)) {
        has_tests = true;
      } else {
        others += std::string(others.empty() ? "" : ":") + tests.name() + "." + one.name();
      }
    }
  }
  std::string& filter = testing::GTEST_FLAG(filter);
  if (!others.empty()) filter += (filter.find('-') == std::string::npos ? "-" : ":") + others;
  return has_tests;
}

}  // namespace

int main(int count, char** arguments) {
  testing::InitGoogleTest(&count, arguments);
  std::string_view file;
  for (int index = 1; index < count; ++index) {
    const std::string_view argument = arguments[index];
    if (!file.empty() || !argument.starts_with(option)) {
      std::cerr << "tests_of_file: " << argument << ": one option is known, " << option << "PATH, once\n";
      return 2;
    }
    file = argument.substr(option.size());
  }
  if (!file.empty() && !run_only(file)) {
    std::cerr << "tests_of_file: no test of this program is in " << file << '\n';
    return 2;
  }
  return RUN_ALL_TESTS();
}
