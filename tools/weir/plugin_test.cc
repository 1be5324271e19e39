// Backends that are no part of the program: it finds their plug-ins.
#include <cstdlib>
#include <filesystem>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/weir/test_program.h"

namespace weir::tool::testing {
namespace {

using ::testing::HasSubstr;

class PlugIns : public ::testing::Test {
 protected:
  static void add_to(const std::filesystem::path& directory) {
    std::filesystem::create_directories(directory);
    std::filesystem::create_symlink(std::filesystem::absolute("transport/inproc/libweir_inproc.so"),
                                    directory / "inproc.so");
  }

  PrivateRoot root_;
  const std::filesystem::path directory_ = std::filesystem::path(root_.path()) / "tree";  // NOLINT
};

TEST_F(PlugIns, OfTheNamedDirectoryServeTheirScheme) {
  EXPECT_EQ(run({"info", "inproc://camera"}).status, 3);
  add_to(directory_);
  setenv("WEIR_BACKENDS", directory_.c_str(), 1);
  const Outcome info = run({"info", "inproc://camera"});
  EXPECT_EQ(info.status, 0) << info.errors;
  EXPECT_THAT(info.output, HasSubstr("is a topic of inproc"));
  EXPECT_EQ(run({"pub", "inproc://camera", "message"}).status, 0);
  unsetenv("WEIR_BACKENDS");
}

// As an installed program does, whatever it is called as.
TEST_F(PlugIns, BesideTheProgramServeTheirScheme) {
  std::filesystem::create_directories(directory_ / "bin");
  std::filesystem::create_directories(directory_ / "elsewhere" / "bin");
  std::filesystem::copy_file("tools/weir/weir", directory_ / "bin" / "weir");
  std::filesystem::create_symlink(directory_ / "bin" / "weir", directory_ / "elsewhere" / "bin" / "weir");
  const std::string line = R"(
    cd "$1"
    for weir in bin/weir ../tree/bin/weir "$1/elsewhere/bin/weir" elsewhere/bin/weir; do
      $weir info inproc://camera > /dev/null; echo "$weir $?"
    done
    PATH=$1/elsewhere/bin
    weir info inproc://camera > /dev/null; echo "found $?")";
  for (const bool is_there : {false, true}) {
    if (is_there) add_to(directory_ / "lib" / "weir");
    Program shell({"-c", line, "sh", directory_.string()}, {}, "sh");
    ASSERT_EQ(shell.end(), 0) << shell.errors();
    EXPECT_EQ(shell.output(),
              fmt::format("bin/weir {0}\n../tree/bin/weir {0}\n{1}/elsewhere/bin/weir {0}\nelsewhere/bin/weir {0}\n"
                          "found {0}\n",
                          is_there ? 0 : 3, directory_.string()));
  }
}

}  // namespace
}  // namespace weir::tool::testing
