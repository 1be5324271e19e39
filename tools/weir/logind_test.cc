#include "tools/weir/logind.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

namespace weir::tool {
namespace {

class Logind : public ::testing::Test {
 public:
  Logind(const Logind&) = delete;
  Logind& operator=(const Logind&) = delete;
  ~Logind() override { std::filesystem::remove_all(system_); }

 protected:
  Logind() { std::filesystem::remove_all(system_); }
  void write(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories((system_ / file).parent_path());
    std::ofstream(system_ / file) << text;
  }

  const std::filesystem::path system_ = std::filesystem::path(::testing::TempDir()) / "system";  // NOLINT
};

TEST_F(Logind, RemovesUnlessItIsTold) {
  EXPECT_TRUE(logind_removes_ipc(system_));
  write("etc/systemd/logind.conf", "[Login]\n#RemoveIPC=no\n");
  EXPECT_TRUE(logind_removes_ipc(system_));
  write("etc/systemd/logind.conf", "[Login]\nRemoveIPC=no\n");
  EXPECT_FALSE(logind_removes_ipc(system_));
}

TEST_F(Logind, BlanksMakeNoDifference) {
  write("etc/systemd/logind.conf", "[Login]\n RemoveIPC = no \r\n");
  EXPECT_FALSE(logind_removes_ipc(system_));
}

TEST_F(Logind, OnlyFilesOfConfigurationCount) {
  write("etc/systemd/logind.conf.d/10-weir.conf", "RemoveIPC=no\n");
  write("etc/systemd/logind.conf.d/20-weir.conf.old", "RemoveIPC=yes\n");
  write("etc/systemd/logind.conf.d/README", "RemoveIPC=yes\n");
  EXPECT_FALSE(logind_removes_ipc(system_));
}

TEST_F(Logind, LastNameCountsAndOfOneNameThatOfTheAdministrator) {
  write("etc/systemd/logind.conf.d/20-weir.conf", "RemoveIPC=no\n");
  write("run/systemd/logind.conf.d/20-weir.conf", "RemoveIPC=yes\n");
  write("usr/lib/systemd/logind.conf.d/20-weir.conf", "RemoveIPC=yes\n");
  write("etc/systemd/logind.conf", "RemoveIPC=yes\n");
  EXPECT_FALSE(logind_removes_ipc(system_));
  write("usr/lib/systemd/logind.conf.d/30-other.conf", "RemoveIPC=yes\n");
  EXPECT_TRUE(logind_removes_ipc(system_));
}

}  // namespace
}  // namespace weir::tool
