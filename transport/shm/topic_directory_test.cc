#include "transport/shm/topic_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transport/shm/clock.h"
#include "transport/shm/janitor.h"
#include "transport/shm/test_processes.h"
#include "transport/shm/test_topic_directory.h"

namespace weir::shm {
namespace {

using ::testing::HasSubstr;
using ::weir::shm::testing::DescriptorLimit;
using ::weir::shm::testing::give_to_somebody_else;
using ::weir::shm::testing::in_private_mounts;
using ::weir::shm::testing::mount_tmpfs;
using ::weir::shm::testing::Names;
using ::weir::shm::testing::open_descriptors;
using ::weir::shm::testing::remount_read_only;
using ::weir::shm::testing::Topic;
using ::weir::shm::testing::TopicDirectoryTest;

TEST_F(TopicDirectoryTest, UsersShareOnePageAndOneHeader) {
  const Topic first = join();
  const Topic second = join();
  ASSERT_TRUE(first && second);
  first->counters().epoch.fetch_add(7);
  EXPECT_EQ(second->counters().epoch, 7U);
  EXPECT_EQ(second->counters().sleepers, 0U);
  const TopicHeader& header = second->header();
  EXPECT_EQ(header.magic, topic_magic);
  EXPECT_EQ(header.version, layout_version);
  EXPECT_EQ(std::string(header.topic, header.topic_size), "camera/front");
  EXPECT_EQ(header.tick_source, static_cast<std::uint32_t>(best_tick_source()));
  EXPECT_EQ(header.origin_ticks, first->header().origin_ticks);
  EXPECT_EQ(header.origin_nanoseconds, first->header().origin_nanoseconds);
  EXPECT_GT(header.origin_nanoseconds, 0);
}

TEST_F(TopicDirectoryTest, LastUserRemovesTheTopicAndNobodyBefore) {
  Topic first = join();
  Topic second = join();
  first = nullptr;
  EXPECT_EQ(files(), (Names{epoch_file, topic_file}));
  EXPECT_TRUE(join());
  second = nullptr;
  EXPECT_TRUE(is_empty());
}

TEST_F(TopicDirectoryTest, IsMadeAlthoughTheRootThatWasOpenedForItIsRemovedMeanwhile) {
  place_.root += "/v1";
  Result<File> opened = open_root(place_.root);
  ASSERT_TRUE(opened);
  ASSERT_EQ(rmdir(place_.root.c_str()), 0);
  const Result<Topic> topic = TopicDirectory::join(place_, std::move(*opened));
  ASSERT_TRUE(topic) << topic.error().message();
  EXPECT_EQ(files(), Names({epoch_file, topic_file}));
}

TEST_F(TopicDirectoryTest, FilesAreForTheirUserAloneWhateverTheUmask) {
  const mode_t before = umask(0);
  const Topic topic = join();
  umask(before);
  struct stat status {};
  ASSERT_EQ(stat(directory().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0700U);
  ASSERT_EQ(stat(path_of(epoch_file).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  ASSERT_EQ(stat(path_of(topic_file).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0400U);
}

TEST_F(TopicDirectoryTest, CostsTwoDescriptorsAndGivesThemBack) {
  const int before = open_descriptors();
  Topic topic = join();
  EXPECT_EQ(open_descriptors(), before + 2);
  topic = nullptr;
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(TopicDirectoryTest, NextUserFindsNoTraceOfKilledOnes) {
  leave_dead_topic();
  const auto file = make_unnamed(root.descriptor(), page, "making");
  ASSERT_TRUE(file);
  const File opened(open(directory().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_TRUE(link_file(*file, opened.get(), segment_name(Role::publisher, 1), "linking"));
  const Topic topic = join();
  EXPECT_EQ(files(), (Names{epoch_file, topic_file}));
}

TEST_F(TopicDirectoryTest, SpoiledFilesAreNamedAndLeftAsTheyAre) {
  struct {
    const char* what;
    std::function<void()> spoil;
    ErrorCode code;
    const char* message;
  } const cases[] = {
      {"short epoch", [&] { ASSERT_EQ(truncate(path_of(epoch_file).c_str(), 100), 0); }, ErrorCode::corrupt, "epoch"},
      {"short topic",
       [&] {
         ASSERT_EQ(chmod(path_of(topic_file).c_str(), 0600), 0);
         ASSERT_EQ(truncate(path_of(topic_file).c_str(), sizeof(TopicHeader) - 1), 0);
       },
       ErrorCode::corrupt, "too short"},
      {"magic", [&] { scribble(offsetof(TopicHeader, magic), std::uint64_t{42}); }, ErrorCode::corrupt,
       "not a topic file"},
      {"version", [&] { scribble(offsetof(TopicHeader, version), layout_version + 6); }, ErrorCode::incompatible,
       "layout version 7, and this program version 1"},
      {"size", [&] { scribble(offsetof(TopicHeader, topic_size), ~std::uint64_t{0}); }, ErrorCode::corrupt,
       "impossible"},
      {"other topic", [&] { scribble(offsetof(TopicHeader, topic), 'C'); }, ErrorCode::corrupt,
       "is that of topic \"Camera/front\""},
      {"clock", [&] { scribble(offsetof(TopicHeader, tick_source), std::uint32_t{9}); }, ErrorCode::corrupt,
       "unknown clock, 9"},
      {"epoch is a FIFO",
       [&] {
         ASSERT_EQ(unlink(path_of(epoch_file).c_str()), 0);
         ASSERT_EQ(mkfifo(path_of(epoch_file).c_str(), 0600), 0);
       },
       ErrorCode::corrupt, "not a regular file"},
      {"topic is a link",
       [&] {
         ASSERT_EQ(unlink(path_of(topic_file).c_str()), 0);
         ASSERT_EQ(symlink("epoch", path_of(topic_file).c_str()), 0);
       },
       ErrorCode::corrupt, "symbolic link"},
      {"topic is a directory",
       [&] {
         ASSERT_EQ(unlink(path_of(topic_file).c_str()), 0);
         ASSERT_EQ(mkdir(path_of(topic_file).c_str(), 0700), 0);
       },
       ErrorCode::corrupt, "not a regular file"},
  };
  for (const auto& [what, spoil, code, message] : cases) {
    SCOPED_TRACE(what);
    leave_dead_topic();
    spoil();
    for (int attempt = 0; attempt < 2; ++attempt) {
      const Error error = refusal();
      EXPECT_EQ(error.code(), code) << error.message();
      EXPECT_THAT(error.message(), HasSubstr(message));
      EXPECT_THAT(error.message(), HasSubstr("remove"));
      EXPECT_EQ(files(), (Names{epoch_file, topic_file}));
    }
    rmdir(path_of(topic_file).c_str());
    ASSERT_TRUE(remove_topic_if_unused(root.descriptor(), place_.name));
    EXPECT_TRUE(join()) << "the remedy does not help";
  }
}

TEST_F(TopicDirectoryTest, WhatIsNoDirectoryIsNamed) {
  ASSERT_TRUE(open_file(root.descriptor(), place_.name, O_RDWR | O_CREAT, "making"));
  EXPECT_EQ(refusal().code(), ErrorCode::corrupt);
  ASSERT_EQ(unlinkat(root.descriptor(), place_.name.c_str(), 0), 0);
  ASSERT_EQ(mkdirat(root.descriptor(), "elsewhere", 0700), 0);
  ASSERT_EQ(symlinkat("elsewhere", root.descriptor(), place_.name.c_str()), 0);
  EXPECT_EQ(refusal().code(), ErrorCode::corrupt);
}

TEST_F(TopicDirectoryTest, DirectoryOfSomebodyElseIsRefused) {
  in_private_mounts([&] {
    mount_tmpfs(root.path(), "size=1m");
    ASSERT_EQ(mkdir(directory().c_str(), 0777), 0);
    ASSERT_TRUE(give_to_somebody_else(directory())) << "INCONCLUSIVE: no directory of another user can be had here";
    const Error error = refusal();
    EXPECT_EQ(error.code(), ErrorCode::permission_denied);
    EXPECT_THAT(error.message(), HasSubstr("belongs to user"));
  });
}

TEST_F(TopicDirectoryTest, ForeignFilesDoNotDisturbAndStay) {
  ASSERT_EQ(mkdir(directory().c_str(), 0700), 0);
  ASSERT_TRUE(open_file(AT_FDCWD, path_of("notes.txt"), O_RDWR | O_CREAT, "making"));
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(join());
    EXPECT_EQ(files(), Names{"notes.txt"});
  }
}

TEST_F(TopicDirectoryTest, FullFileSystemIsAnErrorThatLeavesNothing) {
  in_private_mounts([&] {
    // Every shortage that a join can meet half-way, up to where there is enough.
    for (const char* option : {"nr_inodes", "nr_blocks"}) {
      bool joined = false;
      for (int amount = 1; !joined && amount < 20; ++amount) {
        mount_tmpfs(root.path(), fmt::format("{}={}", option, amount));
        const Result<Topic> topic = TopicDirectory::join(place_);
        joined = topic.has_value();
        if (!joined) {
          EXPECT_EQ(topic.error().code(), ErrorCode::resource_exhausted) << topic.error().message();
          EXPECT_THAT(topic.error().message(), HasSubstr("topic \"camera/front\""));
          EXPECT_THAT(topic.error().message(), HasSubstr("WEIR_ROOT"));
          const auto opened = open_root(root.path());
          EXPECT_TRUE(entries_of(opened->get()).empty()) << option << " " << amount;
        }
        EXPECT_TRUE(joined || amount < 10);
      }
      EXPECT_TRUE(joined);
    }
  });
}

TEST_F(TopicDirectoryTest, DescriptorsRunOutAsAnErrorWhereverTheyDo) {
  bool joined = false;
  for (int count = 0; !joined; ++count) {
    ASSERT_LT(count, 20);
    const Result<Topic> topic = [&] {
      const DescriptorLimit limit(count);
      return TopicDirectory::join(place_);
    }();
    joined = topic.has_value();
    if (joined) continue;
    EXPECT_EQ(topic.error().code(), ErrorCode::resource_exhausted) << topic.error().message();
    EXPECT_THAT(topic.error().message(), HasSubstr("ulimit -n"));
  }
  sweep(root.descriptor());
  EXPECT_TRUE(is_empty());
}

TEST_F(TopicDirectoryTest, UnwritableRootIsPermissionDenied) {
  in_private_mounts([&] {
    mount_tmpfs(root.path(), "size=1m");
    remount_read_only(root.path());
    const Error error = refusal();
    EXPECT_EQ(error.code(), ErrorCode::permission_denied);
    EXPECT_THAT(error.message(), HasSubstr("WEIR_ROOT"));
  });
}

}  // namespace
}  // namespace weir::shm
