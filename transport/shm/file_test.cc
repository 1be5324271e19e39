#include "transport/shm/file.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transport/shm/root.h"
#include "transport/shm/test_processes.h"

namespace weir::shm {
namespace {

using ::testing::HasSubstr;
using ::weir::shm::testing::Child;
using ::weir::shm::testing::DescriptorLimit;
using ::weir::shm::testing::in_private_mounts;
using ::weir::shm::testing::mount_tmpfs;
using ::weir::shm::testing::open_descriptors;
using ::weir::shm::testing::remount_read_only;
using ::weir::shm::testing::Signal;
using ::weir::shm::testing::TemporaryRoot;

constexpr std::size_t kilobyte = 1024;
constexpr std::size_t megabyte = 1024 * kilobyte;

TEST(SystemError, NamesWhatWasTriedTheShortageAndTheRemedy) {
  struct {
    int number;
    ErrorCode code;
    const char* name;
    const char* remedy;
  } const expected[] = {
      {EMFILE, ErrorCode::resource_exhausted, "EMFILE", "ulimit -n"},
      {ENFILE, ErrorCode::resource_exhausted, "ENFILE", "fs.file-max"},
      {ENOSPC, ErrorCode::resource_exhausted, "ENOSPC", "weir clean"},
      {EDQUOT, ErrorCode::resource_exhausted, "EDQUOT", "quota"},
      {EFBIG, ErrorCode::resource_exhausted, "EFBIG", "ulimit -f"},
      {ENOMEM, ErrorCode::resource_exhausted, "ENOMEM", "vm.max_map_count"},
      {EAGAIN, ErrorCode::resource_exhausted, "EAGAIN", "ulimit -l"},
      {EACCES, ErrorCode::permission_denied, "EACCES", "owner and mode"},
      {EPERM, ErrorCode::permission_denied, "EPERM", "owner and mode"},
      {EROFS, ErrorCode::permission_denied, "EROFS", "read-only"},
      {ENOENT, ErrorCode::not_found, "ENOENT", "path"},
      {EEXIST, ErrorCode::name_taken, "EEXIST", "another name"},
      {ELOOP, ErrorCode::corrupt, "ELOOP", "remove it"},
      {EISDIR, ErrorCode::corrupt, "EISDIR", "remove it"},
      {ENOTDIR, ErrorCode::corrupt, "ENOTDIR", "remove it"},
      {ENXIO, ErrorCode::corrupt, "ENXIO", "remove it"},
      {ENAMETOOLONG, ErrorCode::invalid_argument, "ENAMETOOLONG", "shorter root"},
      {EOPNOTSUPP, ErrorCode::unsupported, "EOPNOTSUPP", "tmpfs"},
      {EIO, ErrorCode::internal, "EIO", "report"},
      {99999, ErrorCode::internal, "99999", "report"},
  };
  for (const auto& [number, code, name, remedy] : expected) {
    const Error error = system_error("topic \"camera\": cannot open x", number);
    EXPECT_EQ(error.code(), code) << name;
    EXPECT_THAT(error.message(), HasSubstr("topic \"camera\": cannot open x"));
    EXPECT_THAT(error.message(), HasSubstr(name));
    EXPECT_THAT(error.message(), HasSubstr(remedy));
  }
}

TEST(File, ClosesItsDescriptorOnceWhoeverHasItLast) {
  const int before = open_descriptors();
  {
    File first(open("/dev/null", O_RDONLY));
    File second(open("/dev/null", O_RDONLY));
    File third(std::move(first));
    EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): what is left is stated
    second = std::move(third);
    EXPECT_TRUE(second);
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST(OpenFile, NoDescriptorSurvivesAnExec) {
  const TemporaryRoot root;
  const auto made = open_file(root.descriptor(), "made", O_RDWR | O_CREAT, "making");
  const auto unnamed = make_unnamed(root.descriptor(), 1, "making");
  ASSERT_TRUE(made && unnamed);
  const auto reopened = reopen_file(*unnamed, O_RDONLY, "reopening");
  ASSERT_TRUE(reopened);
  for (const File* file : {&*made, &*unnamed, &*reopened}) {
    EXPECT_EQ(fcntl(file->get(), F_GETFD), FD_CLOEXEC);
  }
}

TEST(OpenFile, WhatIsNoFileNeverBlocksNorPassesForOne) {
  const TemporaryRoot root;
  ASSERT_EQ(mkfifoat(root.descriptor(), "fifo", 0600), 0);
  ASSERT_EQ(mkdirat(root.descriptor(), "directory", 0700), 0);
  ASSERT_EQ(symlinkat("/etc/hostname", root.descriptor(), "link"), 0);
  const File socket_file(socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (root.path() + "/socket").copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(bind(socket_file.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  for (const char* name : {"fifo", "directory", "link", "socket"}) {
    for (const int flags : {O_RDONLY, O_WRONLY, O_RDWR}) {
      const auto file = open_regular_file(root.descriptor(), name, flags, "topic \"x\": opening a segment");
      ASSERT_FALSE(file) << name;
      EXPECT_EQ(file.error().code(), ErrorCode::corrupt) << file.error().message();
      EXPECT_THAT(file.error().message(), HasSubstr("topic \"x\""));
      EXPECT_THAT(file.error().message(), HasSubstr("remove it"));
    }
  }
}

TEST(OpenFile, DescriptorsRunOutAsAnErrorThatNamesTheLimit) {
  const TemporaryRoot root;
  const auto [file, unnamed] = [&] {
    const DescriptorLimit none(0);
    return std::pair(open_file(root.descriptor(), "x", O_RDWR | O_CREAT, "making x"),
                     make_unnamed(root.descriptor(), 1, "making x"));
  }();
  ASSERT_FALSE(file);
  ASSERT_FALSE(unnamed);
  EXPECT_EQ(file.error().code(), ErrorCode::resource_exhausted);
  EXPECT_EQ(unnamed.error().code(), ErrorCode::resource_exhausted);
  EXPECT_THAT(unnamed.error().message(), HasSubstr("ulimit -n"));
}

TEST(UnnamedFile, IsPrivateReservedAndZeroWhateverTheUmask) {
  const TemporaryRoot root;
  const mode_t before = umask(0777);
  const auto file = make_unnamed(root.descriptor(), 10'000, "making");
  umask(before);
  ASSERT_TRUE(file) << file.error().message();
  struct stat status {};
  ASSERT_EQ(fstat(file->get(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  EXPECT_EQ(status.st_size, 10'000);
  EXPECT_GE(status.st_blocks * 512, 10'000);
  std::string content(10'000, 'x');
  ASSERT_EQ(pread(file->get(), content.data(), content.size(), 0), 10'000);
  EXPECT_EQ(content, std::string(10'000, '\0'));
}

TEST(UnnamedFile, LeavesNothingWhenItsMakerIsKilled) {
  const TemporaryRoot root;
  Signal made;
  Child maker([&] {
    const auto file = make_unnamed(root.descriptor(), megabyte, "making");
    made.give();
    pause();
    return file.has_value();
  });
  ASSERT_TRUE(made.await());
  maker.kill_and_reap();
  EXPECT_TRUE(entries_of(root.descriptor()).empty());
}

TEST(LinkFile, GivesANameAndNeverReplacesOne) {
  const TemporaryRoot root;
  const auto first = make_unnamed(root.descriptor(), 1, "making");
  const auto second = make_unnamed(root.descriptor(), 1, "making");
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(leads_to(root.descriptor(), "name", *first));
  ASSERT_TRUE(link_file(*first, root.descriptor(), "name", "linking"));
  const Status again = link_file(*second, root.descriptor(), "name", "topic \"x\": linking");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), ErrorCode::name_taken);
  EXPECT_TRUE(leads_to(root.descriptor(), "name", *first));
  EXPECT_FALSE(leads_to(root.descriptor(), "name", *second));
  ASSERT_EQ(unlinkat(root.descriptor(), "name", 0), 0);
  EXPECT_FALSE(leads_to(root.descriptor(), "name", *first));
}

TEST(LinkFile, RemovedDirectoryIsNotFound) {
  const TemporaryRoot root;
  ASSERT_EQ(mkdirat(root.descriptor(), "directory", 0700), 0);
  const auto directory = open_file(root.descriptor(), "directory", O_RDONLY | O_DIRECTORY, "opening");
  ASSERT_TRUE(directory);
  const auto file = make_unnamed(directory->get(), 1, "making");
  ASSERT_TRUE(file);
  ASSERT_EQ(unlinkat(root.descriptor(), "directory", AT_REMOVEDIR), 0);
  const Status linked = link_file(*file, directory->get(), "name", "linking");
  ASSERT_FALSE(linked);
  EXPECT_EQ(linked.error().code(), ErrorCode::not_found);
}

TEST(LinkFile, WithoutProcTheKernelsOtherWayOrAnErrorThatSaysSo) {
  const TemporaryRoot root;
  in_private_mounts([&] {
    const auto file = make_unnamed(root.descriptor(), 1, "making");
    ASSERT_TRUE(file);
    mount_tmpfs("/proc", "size=4k");
    const auto reopened = reopen_file(*file, O_RDONLY, "reopening");
    ASSERT_FALSE(reopened);
    EXPECT_EQ(reopened.error().code(), ErrorCode::unsupported);
    const bool has_other_way = linkat(file->get(), "", root.descriptor(), "probe", AT_EMPTY_PATH) == 0;
    const Status linked = link_file(*file, root.descriptor(), "name", "linking");
    EXPECT_EQ(linked.has_value(), has_other_way);
    EXPECT_EQ(leads_to(root.descriptor(), "name", *file), has_other_way);
    if (!linked) {
      EXPECT_EQ(linked.error().code(), ErrorCode::unsupported) << linked.error().message();
      EXPECT_THAT(linked.error().message(), HasSubstr("mount /proc"));
    }
  });
}

unsigned long free_blocks(const TemporaryRoot& root) {
  struct statfs status {};
  EXPECT_EQ(statfs(root.path().c_str(), &status), 0);
  return status.f_bfree;
}

TEST(Reserve, FullFileSystemIsAnErrorAndChangesNothing) {
  const TemporaryRoot root;
  in_private_mounts([&] {
    mount_tmpfs(root.path(), "size=8m");
    const File directory(open(root.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const auto file = make_unnamed(directory.get(), megabyte, "making");
    ASSERT_TRUE(file);
    ASSERT_EQ(pwrite(file->get(), "kept", 4, 0), 4);
    const unsigned long before = free_blocks(root);
    // The whole does not fit, though its first pieces do.
    for (const std::size_t size : {8 * megabyte, 64 * megabyte}) {
      const Status reserved = reserve(*file, megabyte, size, "topic \"x\": growing");
      ASSERT_FALSE(reserved);
      EXPECT_EQ(reserved.error().code(), ErrorCode::resource_exhausted);
      EXPECT_THAT(reserved.error().message(), HasSubstr("topic \"x\""));
      EXPECT_THAT(reserved.error().message(), HasSubstr("remount"));
      EXPECT_EQ(size_of(*file), megabyte);
      EXPECT_EQ(free_blocks(root), before);
    }
    EXPECT_FALSE(make_unnamed(directory.get(), 9 * megabyte, "making"));
    EXPECT_EQ(free_blocks(root), before);
    std::string content(4, ' ');
    EXPECT_EQ(pread(file->get(), content.data(), 4, 0), 4);
    EXPECT_EQ(content, "kept");
    EXPECT_TRUE(reserve(*file, megabyte, 6 * megabyte, "growing"));
    EXPECT_EQ(size_of(*file), 7 * megabyte);
  });
}

TEST(Reserve, InodesRunOutAsAnErrorToo) {
  const TemporaryRoot root;
  in_private_mounts([&] {
    mount_tmpfs(root.path(), "nr_inodes=3");
    const File directory(open(root.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    std::vector<File> files;
    for (;;) {
      auto file = make_unnamed(directory.get(), 1, "making");
      if (!file) {
        EXPECT_EQ(file.error().code(), ErrorCode::resource_exhausted);
        EXPECT_THAT(file.error().message(), HasSubstr("inodes"));
        break;
      }
      files.push_back(std::move(*file));
      ASSERT_LT(files.size(), 10U);
    }
  });
}

TEST(Reserve, LimitOfFileSizeIsAnErrorAndNoDeath) {
  const TemporaryRoot root;
  Child limited([&] {
    rlimit limit{};
    limit.rlim_cur = limit.rlim_max = 64 * kilobyte;
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
    const auto file = make_unnamed(root.descriptor(), 65 * kilobyte, "making");
    EXPECT_FALSE(file);
    if (!file) {
      EXPECT_EQ(file.error().code(), ErrorCode::resource_exhausted);
      EXPECT_THAT(file.error().message(), HasSubstr("ulimit -f"));
    }
    EXPECT_TRUE(make_unnamed(root.descriptor(), 64 * kilobyte, "making"));
    return true;
  });
  EXPECT_TRUE(limited.succeeded());
}

// On older kernels a signal makes tmpfs give up and take back what it has reserved so far; newer ones always pass.
TEST(Reserve, ComesToAnEndUnderAProfilersTimer) {
  const TemporaryRoot root;
  Child profiled([&] {
    struct sigaction action {};
    action.sa_handler = [](int) {};
    sigaction(SIGALRM, &action, nullptr);
    constexpr itimerval every_two_milliseconds{.it_interval = {0, 2000}, .it_value = {0, 2000}};
    setitimer(ITIMER_REAL, &every_two_milliseconds, nullptr);
    const auto file = make_unnamed(root.descriptor(), 128 * megabyte, "making");
    return file && size_of(*file) == 128 * megabyte;
  });
  EXPECT_TRUE(profiled.succeeded());
}

TEST(MakeUnnamed, FileSystemThatCannotIsNamed) {
  // Where this process may ignore the mode of its own directory.
  in_private_mounts([] {
    const File directory(open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const auto file = make_unnamed(directory.get(), 1, "topic \"x\": making");
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code(), ErrorCode::unsupported) << file.error().message();
    EXPECT_THAT(file.error().message(), HasSubstr("type proc"));
  });
}

TEST(MakeUnnamed, ReadOnlyFileSystemIsPermissionDenied) {
  const TemporaryRoot root;
  in_private_mounts([&] {
    mount_tmpfs(root.path(), "size=1m");
    remount_read_only(root.path());
    const File directory(open(root.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const auto file = make_unnamed(directory.get(), 1, "making");
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code(), ErrorCode::permission_denied);
    EXPECT_THAT(file.error().message(), HasSubstr("read-write"));
  });
}

}  // namespace
}  // namespace weir::shm
