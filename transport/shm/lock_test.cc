#include "transport/shm/lock.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transport/shm/test_processes.h"

namespace weir::shm {
namespace {

using ::testing::HasSubstr;
using ::weir::shm::testing::Child;
using ::weir::shm::testing::DescriptorLimit;
using ::weir::shm::testing::in_private_mounts;
using ::weir::shm::testing::mount_tmpfs;
using ::weir::shm::testing::open_descriptors;
using ::weir::shm::testing::Signal;
using ::weir::shm::testing::TemporaryRoot;

class LockTest : public ::testing::Test {
 protected:
  // Each call another open file description of the same file.
  [[nodiscard]] File open(int flags = O_RDWR | O_CREAT) const {
    auto file = open_regular_file(root.descriptor(), "file", flags, "opening");
    EXPECT_TRUE(file) << file.error().message();
    return file ? std::move(*file) : File();
  }

  [[nodiscard]] Lock take(LockRange range, LockKind kind) const {
    auto lock = Lock::try_take(open(), range, kind, "locking");
    EXPECT_TRUE(lock) << lock.error().message();
    return lock && *lock ? std::move(**lock) : Lock();
  }

  [[nodiscard]] bool is_owned() const { return is_locked(open(), owner_byte); }

  const TemporaryRoot root;  // NOLINT(readability-identifier-naming): for the bodies of the tests
};

TEST_F(LockTest, IsSeenUntilItIsDropped) {
  EXPECT_FALSE(is_owned());
  {
    const Lock owner = take(owner_byte, LockKind::exclusive);
    ASSERT_TRUE(owner);
    EXPECT_TRUE(is_owned());
    EXPECT_TRUE(is_locked(open(O_RDONLY), owner_byte));
    EXPECT_FALSE(is_locked(open(), readers_byte));
  }
  EXPECT_FALSE(is_owned());
}

TEST_F(LockTest, ExclusiveHolderKeepsAllOthersOut) {
  const Lock owner = take(owner_byte, LockKind::exclusive);
  ASSERT_TRUE(owner);
  EXPECT_FALSE(take(owner_byte, LockKind::exclusive));
  EXPECT_FALSE(take(owner_byte, LockKind::shared));
  EXPECT_FALSE(take(whole_segment, LockKind::exclusive));
  EXPECT_FALSE(try_lock_briefly(open(), whole_segment, LockKind::exclusive));
  EXPECT_TRUE(take(readers_byte, LockKind::shared));
}

TEST_F(LockTest, SharedHoldersKeepOnlyTheJanitorOut) {
  std::vector<Lock> readers(10);
  for (Lock& reader : readers) reader = take(readers_byte, LockKind::shared);
  for (const Lock& reader : readers) EXPECT_TRUE(reader);
  EXPECT_TRUE(take(owner_byte, LockKind::exclusive));
  while (!readers.empty()) {
    EXPECT_FALSE(try_lock_briefly(open(), whole_segment, LockKind::exclusive));
    readers.pop_back();
  }
  EXPECT_TRUE(try_lock_briefly(open(), whole_segment, LockKind::exclusive));
}

TEST_F(LockTest, ReaderCannotFakeAnOwnersLife) {
  const Lock reader = take(owner_byte, LockKind::shared);
  ASSERT_TRUE(reader);
  EXPECT_FALSE(is_owned());
}

TEST_F(LockTest, NeedsOnlyTheRightsItsKindNeeds) {
  static_cast<void>(open());
  const auto shared = Lock::try_take(open(O_RDONLY), users_byte, LockKind::shared, "locking");
  ASSERT_TRUE(shared) << shared.error().message();
  EXPECT_TRUE(*shared);
}

TEST_F(LockTest, CostsNoDescriptorAndOutlivesAllOfTheFile) {
  const int before = open_descriptors();
  const Lock owner = take(owner_byte, LockKind::exclusive);
  ASSERT_TRUE(owner);
  EXPECT_EQ(open_descriptors(), before);
  // A process-wide lock (F_SETLK) would go with any descriptor of the file.
  { const File other = open(); }
  EXPECT_TRUE(is_owned());
}

TEST_F(LockTest, HoldsAFileThatHasNoNameYet) {
  auto file = make_unnamed(root.descriptor(), 100, "making");
  ASSERT_TRUE(file);
  auto copy = reopen_file(*file, O_RDWR, "reopening");
  ASSERT_TRUE(copy);
  const auto lock = Lock::try_take(std::move(*copy), owner_byte, LockKind::exclusive, "locking");
  ASSERT_TRUE(lock && *lock);
  ASSERT_TRUE(link_file(*file, root.descriptor(), "file", "linking"));
  EXPECT_TRUE(is_owned());
}

TEST_F(LockTest, MovesWithItsHolder) {
  Lock first = take(owner_byte, LockKind::exclusive);
  Lock second = std::move(first);
  EXPECT_TRUE(is_owned());
  second = Lock();
  EXPECT_FALSE(is_owned());
}

TEST_F(LockTest, SigkillDropsItBeforeThePidIsReaped) {
  Signal taken;
  Child owner([&] {
    const Lock lock = take(owner_byte, LockKind::exclusive);
    taken.give();
    pause();
    return static_cast<bool>(lock);
  });
  ASSERT_TRUE(taken.await());
  EXPECT_TRUE(is_owned());
  kill(owner.pid(), SIGKILL);
  siginfo_t information{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(owner.pid()), &information, WEXITED | WNOWAIT), 0);
  EXPECT_FALSE(is_owned()) << "a zombie keeps the lock";
}

TEST_F(LockTest, StoppedOwnerIsAlive) {
  Signal taken;
  Child owner([&] {
    const Lock lock = take(owner_byte, LockKind::exclusive);
    taken.give();
    pause();
    return static_cast<bool>(lock);
  });
  ASSERT_TRUE(taken.await());
  kill(owner.pid(), SIGSTOP);
  int status = 0;
  ASSERT_EQ(waitpid(owner.pid(), &status, WUNTRACED), owner.pid());
  ASSERT_TRUE(WIFSTOPPED(status));
  EXPECT_TRUE(is_owned());
}

TEST_F(LockTest, ForkedChildKeepsNoDeadParentAlive) {
  // The child of the dead becomes ours, so that it can be reaped.
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  Signal ready;
  Signal finish;
  Child owner([&] {
    const Lock lock = take(owner_byte, LockKind::exclusive);
    if (fork() == 0) {
      ready.give();
      _exit(finish.await() ? 0 : 1);
    }
    pause();
    return static_cast<bool>(lock);
  });
  ASSERT_TRUE(ready.await());
  EXPECT_TRUE(is_owned());
  owner.kill_and_reap();
  EXPECT_FALSE(is_owned());
  finish.give();
  int status = -1;
  EXPECT_GT(waitpid(-1, &status, 0), 0);
  EXPECT_EQ(status, 0) << "the grandchild was not alive all the while";
  prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST_F(LockTest, ForkInAnotherThreadInheritsNoPartOfIt) {
  static_cast<void>(open());
  std::atomic<bool> enough = false;
  std::atomic<int> takes = 0;
  std::thread taker([&] {
    while (!enough) {
      const auto lock = Lock::try_take(open(), owner_byte, LockKind::exclusive, "locking");
      // A child that has inherited a part would make this fail for as long as it lives.
      EXPECT_TRUE(lock && *lock);
      if (!lock || !*lock) break;
      ++takes;
    }
    enough = true;
  });
  std::vector<std::unique_ptr<Child>> children;
  while (!enough && children.size() < 100) {
    for (const int seen = takes; !enough && takes == seen;) std::this_thread::yield();
    children.push_back(std::make_unique<Child>([] { return pause() == 0; }));
  }
  enough = true;
  taker.join();
  EXPECT_EQ(children.size(), 100U);
  EXPECT_FALSE(is_owned());
}

TEST_F(LockTest, WithoutProcItHoldsAllTheSame) {
  in_private_mounts([&] {
    File file = open();
    mount_tmpfs("/proc", "size=4k");
    {
      const auto lock = Lock::try_take(std::move(file), owner_byte, LockKind::exclusive, "locking");
      ASSERT_TRUE(lock && *lock);
      EXPECT_TRUE(is_owned());
    }
    EXPECT_FALSE(is_owned());
  });
}

TEST_F(LockTest, FileSystemThatLosesItIsRefused) {
  in_private_mounts([&] {
    mount_tmpfs(root.path(), "size=1m");
    for (const char* name : {"/lower", "/upper", "/work", "/merged"}) {
      ASSERT_EQ(mkdir((root.path() + name).c_str(), 0700), 0);
    }
    const std::string options =
        "lowerdir=" + root.path() + "/lower,upperdir=" + root.path() + "/upper,workdir=" + root.path() + "/work";
    ASSERT_EQ(mount("overlay", (root.path() + "/merged").c_str(), "overlay", 0, options.c_str()), 0)
        << "INCONCLUSIVE: overlayfs cannot be mounted on this machine";
    for (const LockKind kind : {LockKind::shared, LockKind::exclusive}) {
      auto file = open_file(AT_FDCWD, root.path() + "/merged/file", O_RDWR | O_CREAT, "making");
      ASSERT_TRUE(file);
      const auto lock = Lock::try_take(std::move(*file), owner_byte, kind, "topic \"x\": locking");
      ASSERT_FALSE(lock);
      EXPECT_EQ(lock.error().code(), ErrorCode::unsupported);
      EXPECT_THAT(lock.error().message(), HasSubstr("topic \"x\""));
      EXPECT_THAT(lock.error().message(), HasSubstr("overlayfs"));
    }
  });
}

TEST_F(LockTest, DescriptorsRunOutAsAnError) {
  const auto lock = [&, file = open()]() mutable {
    const DescriptorLimit none(0);
    return Lock::try_take(std::move(file), owner_byte, LockKind::exclusive, "locking");
  }();
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().code(), ErrorCode::resource_exhausted);
  EXPECT_THAT(lock.error().message(), HasSubstr("ulimit -n"));
}

}  // namespace
}  // namespace weir::shm
