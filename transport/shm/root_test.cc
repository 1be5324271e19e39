#include "transport/shm/root.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transport/shm/test_processes.h"

namespace weir::shm {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::weir::shm::testing::Child;
using ::weir::shm::testing::DescriptorLimit;
using ::weir::shm::testing::give_to_somebody_else;
using ::weir::shm::testing::in_private_mounts;
using ::weir::shm::testing::mount_tmpfs;
using ::weir::shm::testing::remount_read_only;
using ::weir::shm::testing::Signal;
using ::weir::shm::testing::TemporaryRoot;

// With WEIR_ROOT as given, whatever the test's own environment has.
Result<Place> place(const std::string& uri, const char* weir_root = nullptr) {
  const char* before = getenv("WEIR_ROOT");
  const std::string saved = before != nullptr ? before : "";
  if (weir_root != nullptr) {
    setenv("WEIR_ROOT", weir_root, 1);
  } else {
    unsetenv("WEIR_ROOT");
  }
  Result<Place> found = place_of(*Endpoint::parse(uri));
  if (before != nullptr) {
    setenv("WEIR_ROOT", saved.c_str(), 1);
  } else {
    unsetenv("WEIR_ROOT");
  }
  return found;
}

std::string default_root() { return fmt::format("/dev/shm/weir-{}", geteuid()); }

TEST(PlaceOf, IsBelowTheUsersRootAndTheLayoutVersion) {
  const auto found = place("shm://camera/front");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->root, default_root() + "/v1");
  EXPECT_EQ(found->topic, "camera/front");
  EXPECT_EQ(found->name, "camera%2Ffront");
  EXPECT_EQ(place("shm://camera", "")->root, default_root() + "/v1");
}

TEST(PlaceOf, TheEnvironmentAndBeforeItTheOptionPutTheRootElsewhere) {
  EXPECT_EQ(place("shm://camera", "/run/robot")->root, "/run/robot/v1");
  EXPECT_EQ(place("shm://camera", "/run/robot//")->root, "/run/robot/v1");
  EXPECT_EQ(place("shm://camera", "/")->root, "/v1");
  EXPECT_EQ(place("shm://camera?root=/run/other", "/run/robot")->root, "/run/other/v1");
}

TEST(PlaceOf, AbsoluteTopicHasItsRootInItsPath) {
  const auto found = place("shm:///var/lib/app/feed", "/run/robot");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->root, "/var/lib/app");
  EXPECT_EQ(found->topic, "feed");
  EXPECT_EQ(found->name, "feed");
  EXPECT_EQ(place("shm:///feed")->root, "/");
  EXPECT_EQ(place("shm:///var/lib/.feed")->name, "%2Efeed");
}

TEST(PlaceOf, WhatIsNoPlaceIsAnErrorThatNamesTheRemedy) {
  struct {
    const char* uri;
    const char* weir_root;
    const char* message;
  } const wrong[] = {
      {"shm://camera", "relative/path", "WEIR_ROOT \"relative/path\""},
      {"shm://camera?root=relative", nullptr, "option root \"relative\""},
      {"shm://camera?root=", "/run/robot", "option root \"\""},
      {"shm://camera?root=/a%00b", nullptr, "option root"},
      {"shm:///var/lib/app/feed?root=/run", nullptr, "leave the option root away"},
      {"shm:///var/lib/app/", nullptr, "ends in a slash"},
  };
  for (const auto& [uri, weir_root, message] : wrong) {
    const auto found = place(uri, weir_root);
    ASSERT_FALSE(found) << uri;
    EXPECT_EQ(found.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(found.error().message(), HasSubstr(message));
    EXPECT_THAT(found.error().message(), HasSubstr("topic \""));
  }
}

TEST(OpenRoot, MakesWhatIsMissingForItsUserAlone) {
  const TemporaryRoot root;
  const mode_t before = umask(0);
  const auto opened = open_root(root.path() + "/a//b/v1");
  umask(before);
  ASSERT_TRUE(opened) << opened.error().message();
  for (const char* name : {"/a", "/a/b", "/a/b/v1"}) {
    struct stat status {};
    ASSERT_EQ(stat((root.path() + name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_mode & 07777U, 0700U) << name;
  }
  const auto again = open_root(root.path() + "/a/b/v1");
  ASSERT_TRUE(again);
  EXPECT_TRUE(leads_to(AT_FDCWD, root.path() + "/a/b/v1", *again));
}

TEST(OpenRoot, ManyAtOnceAllComeIn) {
  const TemporaryRoot root;
  for (int round = 0; round < 20; ++round) {
    const std::string path = fmt::format("{}/{}/b/c/v1", root.path(), round);
    std::atomic<int> opened = 0;
    std::vector<std::thread> threads;
    threads.reserve(8);
    for (int count = 0; count < 8; ++count)
      threads.emplace_back([&] { opened += open_root(path).has_value() ? 1 : 0; });
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(opened, 8);
  }
}

TEST(OpenRoot, NamedRootMayBeReachedThroughALink) {
  const TemporaryRoot root;
  ASSERT_EQ(mkdirat(root.descriptor(), "real", 0755), 0);
  ASSERT_EQ(symlinkat("real", root.descriptor(), "link"), 0);
  EXPECT_TRUE(open_root(root.path() + "/link/v1"));
  EXPECT_EQ(faccessat(root.descriptor(), "real/v1", F_OK, 0), 0);
}

TEST(OpenRoot, FileInTheWayIsNamed) {
  const TemporaryRoot root;
  ASSERT_TRUE(open_file(root.descriptor(), "file", O_RDWR | O_CREAT, "making"));
  const auto opened = open_root(root.path() + "/file/v1");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), ErrorCode::corrupt);
  EXPECT_THAT(opened.error().message(), HasSubstr(root.path() + "/file"));
}

TEST(OpenRoot, UnwritablePlaceIsPermissionDenied) {
  const TemporaryRoot root;
  in_private_mounts([&] {
    mount_tmpfs(root.path(), "size=1m");
    remount_read_only(root.path());
    const auto opened = open_root(root.path() + "/v1");
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), ErrorCode::permission_denied);
    EXPECT_THAT(opened.error().message(), HasSubstr(root.path() + "/v1"));
    EXPECT_THAT(opened.error().message(), HasSubstr("WEIR_ROOT"));
  });
}

TEST(OpenRoot, FileSystemThatMakesNoDirectoriesIsNamed) {
  const auto opened = open_root("/proc/no-such-root/v1");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), ErrorCode::permission_denied);
  EXPECT_THAT(opened.error().message(), AllOf(HasSubstr("in /proc no directory"), HasSubstr("WEIR_ROOT")));
}

TEST(OpenRoot, FullPlaceIsExhausted) {
  const TemporaryRoot root;
  in_private_mounts([&] {
    mount_tmpfs(root.path(), "nr_inodes=1");
    const auto opened = open_root(root.path() + "/v1");
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), ErrorCode::resource_exhausted);
  });
}

void expect_refused(const char* remedy) {
  const auto opened = open_root(default_root() + "/v1");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), ErrorCode::permission_denied) << opened.error().message();
  EXPECT_THAT(opened.error().message(), HasSubstr(default_root()));
  EXPECT_THAT(opened.error().message(), HasSubstr(remedy));
}

TEST(DefaultRoot, ThatOthersMayWriteIsRefusedUnlessSticky) {
  in_private_mounts([] {
    mount_tmpfs("/dev/shm", "size=1m");
    ASSERT_EQ(mkdir(default_root().c_str(), 0700), 0);
    for (const mode_t mode : {0777U, 0770U, 0702U}) {
      ASSERT_EQ(chmod(default_root().c_str(), mode), 0);
      expect_refused("chmod 700");
    }
    EXPECT_NE(access((default_root() + "/v1").c_str(), F_OK), 0) << "was written to before it was judged";
    ASSERT_EQ(chmod(default_root().c_str(), 01777), 0);
    EXPECT_TRUE(open_root(default_root() + "/v1"));
    ASSERT_EQ(chmod((default_root() + "/v1").c_str(), 0777), 0);
    expect_refused("/v1");
  });
}

TEST(DefaultRoot, ThatIsALinkIsRefused) {
  in_private_mounts([] {
    mount_tmpfs("/dev/shm", "size=1m");
    ASSERT_EQ(mkdir("/dev/shm/elsewhere", 0700), 0);
    ASSERT_EQ(symlink("elsewhere", default_root().c_str()), 0);
    const auto opened = open_root(default_root() + "/v1");
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), ErrorCode::corrupt);
    EXPECT_THAT(opened.error().message(), HasSubstr(default_root()));
  });
}

TEST(DefaultRoot, OfSomebodyElseIsRefused) {
  in_private_mounts([] {
    mount_tmpfs("/dev/shm", "size=1m");
    ASSERT_EQ(mkdir(default_root().c_str(), 0755), 0);
    ASSERT_TRUE(give_to_somebody_else(default_root())) << "INCONCLUSIVE: no directory of another user can be had here";
    expect_refused("belongs to user");
  });
}

TEST(EntriesOf, AreAllThereHoweverMany) {
  const TemporaryRoot root;
  std::set<std::string> expected;
  for (int count = 0; count < 3000; ++count) {
    const std::string name = fmt::format("a-name-of-some-length-{}", count);
    ASSERT_TRUE(open_file(root.descriptor(), name, O_RDWR | O_CREAT, "making"));
    expected.insert(name);
  }
  for (int round = 0; round < 3; ++round) {
    const auto entries = entries_of(root.descriptor());
    EXPECT_EQ(entries.size(), expected.size());
    EXPECT_EQ(std::set<std::string>(entries.begin(), entries.end()), expected);
  }
}

TEST(EntriesOf, NeedNoDescriptor) {
  const TemporaryRoot root;
  ASSERT_TRUE(open_file(root.descriptor(), "file", O_RDWR | O_CREAT, "making"));
  const DescriptorLimit none(0);
  EXPECT_EQ(entries_of(root.descriptor()), std::vector<std::string>{"file"});
}

TEST(EntriesOf, OfARemovedDirectoryAreNone) {
  const TemporaryRoot root;
  const auto directory = open_root(root.path() + "/gone");
  ASSERT_TRUE(directory);
  ASSERT_EQ(unlinkat(root.descriptor(), "gone", AT_REMOVEDIR), 0);
  EXPECT_TRUE(entries_of(directory->get()).empty());
}

TEST(EntriesOf, ThatStayAreNeverMissedWhileOthersComeAndGo) {
  const TemporaryRoot root;
  std::set<std::string> staying;
  for (int count = 0; count < 2000; ++count) {
    const std::string name = fmt::format("staying-{}", count);
    ASSERT_TRUE(open_file(root.descriptor(), name, O_RDWR | O_CREAT, "making"));
    staying.insert(name);
  }
  Signal busy;
  Child others([&] {
    for (unsigned count = 0;; ++count) {
      const std::string name = fmt::format("passing-{}", count % 64);
      if (unlinkat(root.descriptor(), name.c_str(), 0) != 0) {
        if (!open_file(root.descriptor(), name, O_RDWR | O_CREAT, "making")) return false;
      }
      if (count == 100) busy.give();
    }
  });
  ASSERT_TRUE(busy.await());
  // Two threads share the position of one descriptor, and a listing takes several reads.
  const auto look = [&] {
    for (int round = 0; round < 50; ++round) {
      const auto entries = entries_of(root.descriptor());
      const auto count = std::count_if(entries.begin(), entries.end(),
                                       [&](const std::string& entry) { return staying.contains(entry); });
      ASSERT_EQ(static_cast<std::size_t>(count), staying.size());
    }
  };
  std::thread other(look);
  look();
  other.join();
}

}  // namespace
}  // namespace weir::shm
