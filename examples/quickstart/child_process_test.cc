#include "examples/quickstart/child_process.h"

#include <sys/resource.h>

#include <gtest/gtest.h>

namespace quickstart {
namespace {

TEST(ChildProcess, AProcessThatCannotStartNamesTheRemedy) {
  Task task;
  task.name = "lossless";
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const weir::Result<ChildProcess> child = ChildProcess::start(task);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().code(), weir::ErrorCode::resource_exhausted);
  EXPECT_NE(child.error().message().find("\"lossless\""), std::string::npos) << child.error().message();
  EXPECT_NE(child.error().message().find("ulimit -n"), std::string::npos) << child.error().message();
}

}  // namespace
}  // namespace quickstart
