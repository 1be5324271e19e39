// A topic directory among forks, kills, and processes that overtake each other.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transport/shm/janitor.h"
#include "transport/shm/test_processes.h"
#include "transport/shm/test_topic_directory.h"
#include "transport/shm/topic_directory.h"

namespace weir::shm {
namespace {

using ::testing::HasSubstr;
using ::weir::shm::testing::at_system_call;
using ::weir::shm::testing::Child;
using ::weir::shm::testing::interrupt_at_each_system_call;
using ::weir::shm::testing::kill_at_each_system_call;
using ::weir::shm::testing::Names;
using ::weir::shm::testing::Signal;
using ::weir::shm::testing::sleep_no_more;
using ::weir::shm::testing::Topic;
using ::weir::shm::testing::TopicDirectoryTest;

TEST_F(TopicDirectoryTest, TopicStaysWhileAKilledUsersCompanionLives) {
  const Topic topic = join();
  Signal joined;
  Child user([&] {
    const Topic other = join();
    joined.give();
    pause();
    return other != nullptr;
  });
  ASSERT_TRUE(joined.await());
  user.kill_and_reap();
  EXPECT_FALSE(remove_topic_if_unused(root.descriptor(), place_.name));
  topic->counters().epoch.fetch_add(1);
  EXPECT_EQ(join()->counters().epoch, 1U);
}

TEST_F(TopicDirectoryTest, ForkedChildLeavesItsParentsTopicAlone) {
  Topic topic = join();
  topic->counters().epoch.fetch_add(5);
  Child child([&] {
    EXPECT_EQ(topic->counters().epoch, 5U);
    topic = nullptr;
    return true;
  });
  EXPECT_TRUE(child.succeeded());
  EXPECT_FALSE(remove_topic_if_unused(root.descriptor(), place_.name));
  EXPECT_EQ(join()->counters().epoch, 5U);
}

TEST_F(TopicDirectoryTest, ForkedChildMayJoinByItself) {
  Topic topic = join();
  Signal joined;
  Signal parent_left;
  Child child([&] {
    const Topic own = join();
    topic = nullptr;
    joined.give();
    EXPECT_TRUE(parent_left.await());
    return own != nullptr && !remove_topic_if_unused(root.descriptor(), place_.name);
  });
  ASSERT_TRUE(joined.await());
  topic = nullptr;
  parent_left.give();
  EXPECT_TRUE(child.succeeded());
}

TEST_F(TopicDirectoryTest, ForkedChildKeepsNoDeadParentsTopicAndDoesNotRemoveIt) {
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  Signal ready;
  Signal finish;
  Child user([&] {
    Topic topic = join();
    if (fork() == 0) {
      ready.give();
      const bool told = finish.await();
      topic = nullptr;
      _exit(told ? 0 : 1);
    }
    pause();
    return topic != nullptr;
  });
  ASSERT_TRUE(ready.await());
  const File epoch(open(path_of(epoch_file).c_str(), O_RDWR | O_CLOEXEC));
  EXPECT_FALSE(try_lock_briefly(epoch, users_byte, LockKind::exclusive));
  user.kill_and_reap();
  EXPECT_TRUE(try_lock_briefly(epoch, users_byte, LockKind::exclusive)) << "the child keeps its dead parent's lock";
  // Free again, so that a child that tried would succeed.
  struct flock unlock {};
  unlock.l_type = F_UNLCK;
  ASSERT_EQ(fcntl(epoch.get(), F_OFD_SETLK, &unlock), 0);
  finish.give();
  int status = -1;
  EXPECT_GT(waitpid(-1, &status, 0), 0);
  EXPECT_EQ(status, 0) << "the grandchild was not alive all the while";
  EXPECT_EQ(files(), (Names{epoch_file, topic_file}));
  prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST_F(TopicDirectoryTest, JoinerWaitsForARemoverAtWork) {
  leave_dead_topic();
  File epoch(open(path_of(epoch_file).c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(try_lock_briefly(epoch, users_byte, LockKind::exclusive));
  EXPECT_TRUE(at_system_call(
      SYS_clock_nanosleep, [&] { return join() != nullptr; },
      [&] {
        // What the remover would have done.
        EXPECT_EQ(unlink(path_of(topic_file).c_str()), 0);
        EXPECT_EQ(unlink(path_of(epoch_file).c_str()), 0);
        EXPECT_EQ(rmdir(directory().c_str()), 0);
        epoch = File();
      }));
  EXPECT_TRUE(is_empty());
}

TEST_F(TopicDirectoryTest, RemoverThatDoesNotGoOnIsReported) {
  leave_dead_topic();
  const File epoch(open(path_of(epoch_file).c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(try_lock_briefly(epoch, users_byte, LockKind::exclusive));
  Child joiner([&] {
    sleep_no_more();
    const Error error = refusal();
    EXPECT_EQ(error.code(), ErrorCode::unavailable);
    EXPECT_THAT(error.message(), HasSubstr("let that process continue"));
    return true;
  });
  EXPECT_TRUE(joiner.succeeded());
}

TEST_F(TopicDirectoryTest, UserKilledAnywhereLeavesNothingThatASweepDoesNotTake) {
  const int kills = kill_at_each_system_call({
      .prepare = [] {},
      .body = [&] { EXPECT_TRUE(join()); },
      .judge =
          [&] {
            sweep(root.descriptor());
            EXPECT_TRUE(is_empty());
          },
  });
  EXPECT_GT(kills, 100);
}

TEST_F(TopicDirectoryTest, UserKilledAnywhereLeavesATopicThatCanBeJoined) {
  const int kills = kill_at_each_system_call({
      .prepare = [] {},
      .body = [&] { EXPECT_TRUE(join()); },
      .judge =
          [&] {
            EXPECT_TRUE(join());
            EXPECT_TRUE(is_empty());
          },
  });
  EXPECT_GT(kills, 100);
}

TEST_F(TopicDirectoryTest, UserKilledAnywhereDisturbsNoOtherUser) {
  const Topic topic = join();
  const int kills = kill_at_each_system_call({
      .prepare = [] {},
      .body = [&] { EXPECT_TRUE(join()); },
      .judge =
          [&] {
            EXPECT_EQ(files(), (Names{epoch_file, topic_file}));
            topic->counters().epoch.fetch_add(1);
            EXPECT_EQ(join()->counters().epoch, topic->counters().epoch);
          },
  });
  EXPECT_GT(kills, 50);
}

// What the path leads to must be what each user has, for as long as he has it: two users who miss each other would
// never see each other's samples.
bool is_what_the_path_leads_to(const TopicDirectory& topic, const std::string& path) {
  const std::uint64_t raised = topic.counters().epoch.fetch_add(1) + 1;
  const File epoch(open((path + "/epoch").c_str(), O_RDONLY | O_CLOEXEC));
  std::uint64_t seen = 0;
  struct stat here {};
  struct stat there {};
  return pread(epoch.get(), &seen, sizeof(seen), offsetof(SharedCounters, epoch)) == sizeof(seen) && seen >= raised &&
         fstat(topic.descriptor(), &here) == 0 && stat(path.c_str(), &there) == 0 && here.st_ino == there.st_ino &&
         faccessat(topic.descriptor(), topic_file, F_OK, 0) == 0;
}

// Whatever happens between two steps of a joiner: the topic that he has found is removed, and others have made it anew,
// in a directory of its own or, when the remover did not come to the end, in the same.
TEST_F(TopicDirectoryTest, SlowJoinerComesToTheOthersWhereverTheyOvertakeHim) {
  const auto remove_files = [&] {
    const File epoch(open(path_of(epoch_file).c_str(), O_RDWR | O_CLOEXEC));
    if (!epoch || !try_lock_briefly(epoch, users_byte, LockKind::exclusive)) return;
    unlink(path_of(topic_file).c_str());
    unlink(path_of(epoch_file).c_str());
  };
  const auto remove_all = [&] { remove_topic_if_unused(root.descriptor(), place_.name); };
  Topic other;
  for (const auto& remove : {std::function<void()>(remove_files), std::function<void()>(remove_all)}) {
    const int interruptions = interrupt_at_each_system_call({
        .prepare = [&] { leave_dead_topic(); },
        .body =
            [&] {
              const Topic topic = join();
              return topic != nullptr && is_what_the_path_leads_to(*topic, directory());
            },
        .meanwhile =
            [&] {
              remove();
              // Not while the joiner, as the last user, is removing it himself: he stands still.
              const File epoch(open(path_of(epoch_file).c_str(), O_RDWR | O_CLOEXEC));
              if (!epoch || !is_locked(epoch, users_byte)) other = join();
            },
        .judge =
            [&] {
              EXPECT_TRUE(other == nullptr || is_what_the_path_leads_to(*other, directory()));
              other = nullptr;
              EXPECT_TRUE(is_empty());
            },
    });
    EXPECT_GT(interruptions, 100);
  }
}

TEST_F(TopicDirectoryTest, RacingJoinersLeaversAndSweepersNeverPartTheUsers) {
  {
    std::vector<std::unique_ptr<Child>> children;
    children.reserve(8);
    for (int count = 0; count < 6; ++count) {
      children.push_back(std::make_unique<Child>([&] {
        for (int round = 0; round < 1000; ++round) {
          const Topic first = join();
          if (first == nullptr || !is_what_the_path_leads_to(*first, directory())) return false;
          const Topic second = round % 3 == 0 ? join() : nullptr;
          if (!is_what_the_path_leads_to(*first, directory())) return false;
        }
        return true;
      }));
    }
    for (int count = 0; count < 2; ++count) {
      children.push_back(std::make_unique<Child>([&] {
        for (int round = 0; round < 5000; ++round) sweep(root.descriptor());
        return true;
      }));
    }
    for (const auto& child : children) EXPECT_TRUE(child->succeeded());
  }
  EXPECT_TRUE(is_empty());
}

TEST_F(TopicDirectoryTest, RacingUsersThatAreKilledLeaveATopicThatCanBeJoined) {
  for (int round = 0; round < 50; ++round) {
    constexpr int users = 4;
    std::vector<std::unique_ptr<Child>> children;
    std::vector<std::unique_ptr<Signal>> busy;
    children.reserve(users);
    busy.reserve(users);
    for (int count = 0; count < users; ++count) {
      busy.push_back(std::make_unique<Signal>());
      children.push_back(std::make_unique<Child>([&] {
        for (int joins = 0;; ++joins) {
          const Topic topic = join();
          if (topic == nullptr) return false;
          if (joins == 2) busy.back()->give();
        }
      }));
    }
    for (const auto& signal : busy) ASSERT_TRUE(signal->await());
    // Each dies somewhere in the middle, beside the others.
    while (!children.empty()) {
      children.pop_back();
      EXPECT_TRUE(join());
    }
    ASSERT_TRUE(is_empty());
  }
}

}  // namespace
}  // namespace weir::shm
