// Roots that cannot be read, and files that were scribbled on: a sentence, never a crash.
#include <sys/prctl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/weir/test_program.h"
#include "transport/node.h"

namespace weir::tool::testing {
namespace {

using ::testing::HasSubstr;

class HostileRoot : public ::testing::Test {
 protected:
  Node node_ = std::move(Node::open().value());
  PrivateRoot root_;
};

TEST_F(HostileRoot, FilesThatWereScribbledOnAreToldOfAndHarmNobody) {
  auto other = node_.publisher("shm://lidar").value();
  Program publisher({"pub", "camera?depth=8", "-w", "2", "message"});
  Program subscriber({"echo", "camera", "--wait"});
  ASSERT_TRUE(publisher.notes("waiting for 2 subscribers"));
  ASSERT_TRUE(subscriber.notes("listening to"));
  publisher.stop();  // so that they neither mend nor remove what is scribbled on
  subscriber.stop();
  for (const auto& entry : std::filesystem::directory_iterator(root_.path() + "/v1/camera")) {
    if (!entry.is_regular_file()) continue;
    const auto size = static_cast<std::streamsize>(entry.file_size());
    std::filesystem::permissions(entry.path(), std::filesystem::perms::owner_all);
    for (const int pattern : {0xff, 0, 1}) {
      std::string scribble(static_cast<std::size_t>(size), static_cast<char>(pattern));
      for (std::size_t at = 0; pattern == 1 && at < scribble.size(); ++at) {
        scribble[at] = static_cast<char>(at * 37 + at / 256);
      }
      // First behind magic, version and id, so that the checks of what follows are met too.
      for (const std::streamoff first : {24, 0}) {
        std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(first);
        file.write(scribble.data(), size - first);
        ASSERT_TRUE(file.flush()) << entry.path();
        for (const std::vector<std::string>& arguments :
             std::vector<std::vector<std::string>>{{"list", "--peers"},
                                                   {"info", "camera"},
                                                   {"top", "--once", "--interval", "0.01"},
                                                   {"clean", "--dry-run"}}) {
          const Outcome outcome = run(arguments);
          EXPECT_TRUE(outcome.status == 0 || (arguments[0] == "info" && outcome.status == 8))
              << arguments[0] << " over " << entry.path() << ": " << outcome.status << ' ' << outcome.errors;
        }
      }
    }
  }
  const Outcome list = run({"list"});
  EXPECT_THAT(list.output, HasSubstr("lidar"));
  EXPECT_THAT(list.output, HasSubstr("overwritten"));
  EXPECT_THAT(run({"top", "--once", "--interval", "0.01"}).output, HasSubstr("unreadable"));
}

// Root may read everything, so this goes on as somebody else. Where the sandbox knows no other user, a directory that
// is on a closed path does the same for whoever is not root.
TEST_F(HostileRoot, OneThatMayNotBeReadIsNamed) {
  auto publisher = node_.publisher("shm://camera").value();
  std::filesystem::permissions(root_.path(), std::filesystem::perms::none);
  std::vector<std::string> prefix;
  std::string executable = "tools/weir/weir";
  if (geteuid() == 0) {
    prefix = {"--ambient-caps", "-all", "--inh-caps", "-all", "--bounding-set", "-all", executable};
    executable = "setpriv";
  }
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"list"},
                                             {"info", "camera"},
                                             {"echo", "camera"},
                                             {"top", "--once"},
                                             {"clean"},
                                             {"pub", "camera", "message"},
                                             {"remove", "camera"},
                                             {"record", "camera", "-o", root_.path() + "/recording"}}) {
    std::vector<std::string> arguments = prefix;
    arguments.insert(arguments.end(), command.begin(), command.end());
    Program program(arguments, {}, executable);
    EXPECT_EQ(program.end(), 5) << command[0] << ": " << program.errors();
    EXPECT_THAT(program.errors(), HasSubstr(root_.path())) << command[0];
    EXPECT_EQ(program.output(), "");
  }
  std::filesystem::permissions(root_.path(), std::filesystem::perms::owner_all);
}

}  // namespace
}  // namespace weir::tool::testing
