// Programs that tests run beside themselves.
#include "adapters/iceoryx/testing/program.h"

#include <gtest/gtest.h>

namespace weir::iceoryx {
namespace {

TEST(AProgram, IsSeenAtWorkInItsOwnFilesAndGoesOn) {
  Program shell("/bin/sh", {"-c", "echo ready; while :; do :; done"});
  shell.expect("ready");
  const std::set<std::string> files = shell.code_at_work(20);
  EXPECT_FALSE(files.empty());
  for (const std::string& file : files) {
    EXPECT_TRUE(file.ends_with("sh") || file.find("/libc") != std::string::npos) << file;
  }
  const auto before = shell.processor_time();
  while (shell.processor_time() == before) {
  }
}

}  // namespace
}  // namespace weir::iceoryx
