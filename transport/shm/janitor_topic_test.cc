// How whole topics are removed.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "transport/shm/janitor.h"
#include "transport/shm/lock.h"
#include "transport/shm/root.h"
#include "transport/shm/test_janitor.h"
#include "transport/shm/test_processes.h"

namespace weir::shm {
namespace {

using ::weir::shm::testing::in_private_mounts;
using ::weir::shm::testing::interrupt_at_each_system_call;
using ::weir::shm::testing::JanitorTest;
using ::weir::shm::testing::kill_at_each_system_call;
using ::weir::shm::testing::mount_tmpfs;
using ::weir::shm::testing::Names;
using ::weir::shm::testing::publisher;
using ::weir::shm::testing::remount_read_only;
using ::weir::shm::testing::subscriber;

TEST_F(JanitorTest, UsedTopicStaysWhole) {
  make_segment(publisher);
  const Names before = names();
  const Lock user = lock(epoch_file, users_byte, LockKind::shared);
  EXPECT_FALSE(remove_topic_if_unused(root.descriptor(), "topic"));
  sweep(root.descriptor());
  EXPECT_EQ(names(), before);
}

TEST_F(JanitorTest, UnusedTopicGoesWithAllThatIsInIt) {
  make_segment(publisher);
  make_segment(subscriber);
  EXPECT_TRUE(remove_topic_if_unused(root.descriptor(), "topic"));
  EXPECT_FALSE(has_topic());
  EXPECT_TRUE(remove_topic_if_unused(root.descriptor(), "topic")) << "what is gone is gone";
}

TEST_F(JanitorTest, RemoverAtWorkIsTheOnlyOne) {
  make_segment(publisher);
  const File epoch = open(epoch_file);
  ASSERT_TRUE(try_lock_briefly(epoch, users_byte, LockKind::exclusive));
  EXPECT_FALSE(remove_topic_if_unused(root.descriptor(), "topic"));
  EXPECT_TRUE(has_topic());
}

TEST_F(JanitorTest, EmptyDirectoryOfAKilledJoinerGoes) {
  EXPECT_TRUE(remove_topic_if_unused(root.descriptor(), "topic"));
  ASSERT_EQ(mkdirat(root.descriptor(), "topic", 0700), 0);
  EXPECT_TRUE(remove_topic_if_unused(root.descriptor(), "topic"));
  EXPECT_FALSE(has_topic());
}

TEST_F(JanitorTest, DirectoryWithFilesButNoEpochIsLeftAlone) {
  make_segment(publisher);
  ASSERT_EQ(unlinkat(directory.get(), epoch_file, 0), 0);
  const Names before = names();
  EXPECT_FALSE(remove_topic_if_unused(root.descriptor(), "topic"));
  EXPECT_EQ(names(), before);
}

TEST_F(JanitorTest, DirectoriesThatCanBeNoTopicsAreLeftAlone) {
  for (const char* name : {".hidden", "my files"}) {
    ASSERT_EQ(mkdirat(root.descriptor(), name, 0700), 0);
    EXPECT_FALSE(remove_topic_if_unused(root.descriptor(), name));
  }
  for (const char* name : {"", ".", "..", "topic/", "./topic"}) {
    EXPECT_FALSE(remove_topic_if_unused(root.descriptor(), name)) << name;
  }
  ASSERT_EQ(symlinkat("topic", root.descriptor(), "link"), 0);
  EXPECT_FALSE(remove_topic_if_unused(root.descriptor(), "link"));
  EXPECT_TRUE(has_topic());
}

TEST_F(JanitorTest, SweepTakesEveryUnusedTopicAndNoOther) {
  const Lock user = lock(epoch_file, users_byte, LockKind::shared);
  for (const char* name : {"a", "b%2Fc", "empty"}) {
    ASSERT_EQ(mkdirat(root.descriptor(), name, 0700), 0);
    if (name[0] == 'e') continue;
    const std::string path = root.path() + "/" + name;
    ASSERT_TRUE(open_file(AT_FDCWD, path + "/epoch", O_RDWR | O_CREAT, "making"));
    ASSERT_TRUE(open_file(AT_FDCWD, path + "/topic", O_RDWR | O_CREAT, "making"));
  }
  ASSERT_TRUE(open_file(root.descriptor(), "a-file", O_RDWR | O_CREAT, "making"));
  sweep(root.descriptor());
  Names left = entries_of(root.descriptor());
  std::sort(left.begin(), left.end());
  EXPECT_EQ(left, (Names{"a-file", "topic"}));
}

TEST_F(JanitorTest, ReadOnlyFileSystemChangesNothing) {
  in_private_mounts([&] {
    mount_tmpfs(root.path(), "size=1m");
    ASSERT_EQ(mkdir((root.path() + "/topic").c_str(), 0700), 0);
    ASSERT_TRUE(open_file(AT_FDCWD, root.path() + "/topic/epoch", O_RDWR | O_CREAT, "making"));
    remount_read_only(root.path());
    const auto opened = open_root(root.path());
    ASSERT_TRUE(opened);
    EXPECT_FALSE(remove_topic_if_unused(opened->get(), "topic"));
    sweep(opened->get());
  });
}

TEST_F(JanitorTest, KilledAnywhereTheNextOneFinishesTheTopic) {
  const int kills = kill_at_each_system_call({
      .prepare =
          [&] {
            if (!has_topic()) make_topic();
            make_segment(publisher);
            make_segment(subscriber);
          },
      .body = [&] { remove_topic_if_unused(root.descriptor(), "topic"); },
      .judge =
          [&] {
            // What is left is whole or on its way out: never a segment without the epoch that guards it.
            const Names left = has_topic() ? names() : Names{};
            EXPECT_TRUE(left.empty() || std::count(left.begin(), left.end(), epoch_file) == 1);
            EXPECT_TRUE(remove_topic_if_unused(root.descriptor(), "topic"));
            EXPECT_FALSE(has_topic());
          },
  });
  EXPECT_GT(kills, 30);
}

// Another remover may be killed, or lose to a file that is not ours, between the epoch file and the directory; then the
// next user makes a new epoch file in the same directory, while this remover still holds the old one.
TEST_F(JanitorTest, SlowRemoverSparesTheNextUsersOfTheSameDirectory) {
  Lock user;
  const int interruptions = interrupt_at_each_system_call({
      .prepare =
          [&] {
            user = Lock();
            remove_topic_if_unused(root.descriptor(), "topic");
            make_topic();
          },
      .body =
          [&] {
            remove_topic_if_unused(root.descriptor(), "topic");
            return true;
          },
      .meanwhile =
          [&] {
            // Unless the slow one is at the end, or holds the lock.
            const auto epoch = open_file(directory.get(), epoch_file, O_RDWR, "opening");
            if (!epoch || !try_lock_briefly(*epoch, users_byte, LockKind::exclusive)) return;
            ASSERT_EQ(unlinkat(directory.get(), epoch_file, 0), 0);
            make(epoch_file);
            user = lock(epoch_file, users_byte, LockKind::shared);
          },
      .judge =
          [&] {
            EXPECT_TRUE(!user || names() == (Names{epoch_file, topic_file}));
          },
  });
  EXPECT_GT(interruptions, 10);
}

}  // namespace
}  // namespace weir::shm
