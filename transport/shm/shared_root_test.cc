// A root that a group shares: processes of two users exchange messages there; each can read what is another's and
// harm none of it; whoever is not in the group is told so.
//
// Needs root, to be other users. Where that cannot be had, the tests of several users are skipped, and say so.
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transport/shm/file.h"
#include "transport/shm/layout.h"
#include "transport/shm/test_topic.h"

namespace weir::shm::testing {
namespace {

using ::testing::HasSubstr;

constexpr uid_t first_user = 41001;
constexpr uid_t second_user = 41002;
constexpr uid_t outsider = 41003;
constexpr gid_t group = 41000;

// This process is that user from now on, in the group besides one of its own.
bool become(uid_t user, bool in_group = true) {
  const bool done = setgroups(in_group ? 1 : 0, &group) == 0 && setgid(user) == 0 && setuid(user) == 0;
  prctl(PR_SET_DUMPABLE, 1);  // as after an exec: /proc/self/fd is its own
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  return done;
}

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status {};
  EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777U;
}

void share(const TopicRoot& root, gid_t by) {
  ASSERT_EQ(chown(root.path().c_str(), static_cast<uid_t>(-1), by), 0);
  ASSERT_EQ(chmod(root.path().c_str(), 03770), 0);
}

// Of several users.
class SharedRoot : public ::testing::Test {
 protected:
  void SetUp() override {
    Child child([] { return become(first_user); });
    if (!child.succeeded()) {
      std::fputs("NOT TESTED: roots shared by users, as this process cannot be another user: run it as root\n", stderr);
      GTEST_SKIP() << "cannot be another user here";
    }
    share(root_, group);
  }

  // A process of that user that has a publisher and a subscriber, a message in hand and one unread, and is killed.
  void live_and_die(uid_t user) const {
    Child child([&] {
      EXPECT_TRUE(become(user));
      Node node = must(Node::open());
      Subscriber subscriber = must(node.subscriber(root_.uri("policy=lossless&depth=8")));
      must(subscriber.fd());
      Publisher publisher = must(node.publisher(root_.uri("grant=block&depth=8")));
      must(publisher.fd());
      must(send(publisher, 1000, 0));
      const Sample in_hand = next_sample(subscriber);
      must(send(publisher, 1000, 1));
      return raise(SIGKILL) == 0;
    });
    EXPECT_FALSE(child.succeeded());
  }
  // A process of that user that comes and goes.
  [[nodiscard]] bool visit(uid_t user) const {
    Child child([&] {
      EXPECT_TRUE(become(user));
      Node node = must(Node::open());
      Publisher publisher = must(node.publisher(root_.uri("depth=8&history=4&grant=block")));
      Subscriber subscriber = must(node.subscriber(root_.uri("depth=8")));
      must(send(publisher, 1000, 7));
      EXPECT_TRUE(is_filled(next_sample(subscriber).payload(), 7));
      return true;
    });
    return child.succeeded();
  }
  [[nodiscard]] std::vector<std::string> files_of(uid_t user) const {
    std::vector<std::string> names = root_.files();
    std::erase_if(names, [&](const std::string& name) {
      struct stat status {};
      return stat((root_.directory() / name).c_str(), &status) == 0 && status.st_uid != user;
    });
    return names;
  }

  const TopicRoot root_;
};

TEST_F(SharedRoot, MembersExchangeMessagesHoldEachOtherBackAndLearnOfDeaths) {
  constexpr std::uint64_t count = 20;
  Signal received;
  Child publishing([&] {
    EXPECT_TRUE(become(first_user));
    umask(077);
    Node node = must(Node::open());
    Publisher publisher = must(node.publisher(root_.uri("grant=block&deadline=60s&depth=2&history=2")));
    must(publisher.wait_for_subscribers(1, after(std::chrono::minutes(1))));
    constexpr std::array<std::size_t, 4> sizes{64, 1000, 5000, 100'000};
    for (std::uint64_t round = 0; round < count; ++round) must(send(publisher, sizes.at(round % 4), round));
    pause();
    return true;
  });
  Child receiving([&] {
    EXPECT_TRUE(become(second_user));
    umask(077);
    Node node = must(Node::open());
    Subscriber subscriber = must(node.subscriber(root_.uri("policy=lossless&depth=2")));
    pollfd ready{.fd = must(subscriber.fd()), .events = POLLIN, .revents = 0};
    std::uint64_t round = 0;
    for (std::optional<MembershipEvent> event; !event || event->change != Change::died;) {
      EXPECT_EQ(poll(&ready, 1, 60'000), 1);
      for (Sample sample = must(subscriber.take()); sample; sample = must(subscriber.take())) {
        EXPECT_EQ(sample.lost_before(), 0U);
        EXPECT_TRUE(is_filled(sample.payload(), round));
        if (++round == count) received.give();
      }
      event = must(subscriber.next_event());
    }
    return round == count;
  });
  ASSERT_TRUE(received.await());
  publishing.kill_and_reap();
  EXPECT_TRUE(receiving.succeeded());
  EXPECT_TRUE(visit(first_user));
}

TEST_F(SharedRoot, MembersReadWhatIsAnothersAndCannotWriteToItTruncateOrRemoveIt) {
  Signal there;
  Child owner([&] {
    EXPECT_TRUE(become(first_user));
    Node node = must(Node::open());
    Publisher publisher = must(node.publisher(root_.uri("history=4")));
    Subscriber subscriber = must(node.subscriber(root_.uri()));
    must(subscriber.fd());
    must(send(publisher, 1000, 0));
    there.give();
    pause();
    return true;
  });
  ASSERT_TRUE(there.await());
  EXPECT_EQ(mode_of(std::filesystem::path(root_.path()) / "v1"), 03770U);
  EXPECT_EQ(mode_of(root_.directory()), 03770U);
  const std::vector<std::string> files = root_.files();
  ASSERT_EQ(files.size(), 8U);
  Child other([&] {
    EXPECT_TRUE(become(second_user));
    for (const std::string& name : files) {
      SCOPED_TRACE(name);
      const std::string path = root_.directory() / name;
      const bool all_write = name == epoch_file || name.ends_with(".wake");
      EXPECT_EQ(mode_of(path), all_write ? 0660U : name == topic_file ? 0440U : 0640U);
      EXPECT_GE(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC), 0);
      EXPECT_EQ(open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC) >= 0, all_write);
      EXPECT_TRUE(truncate(path.c_str(), 0) != 0 || all_write);
      EXPECT_NE(unlink(path.c_str()), 0);
      EXPECT_NE(rename(path.c_str(), (path + ".gone").c_str()), 0);
      EXPECT_NE(chmod(path.c_str(), 0666), 0);
    }
    return true;
  });
  EXPECT_TRUE(other.succeeded());
  owner.kill_and_reap();
  EXPECT_TRUE(visit(first_user));
}

TEST_F(SharedRoot, JanitorLeavesWhatTheDeadOfAnotherUserLeftAndThatUsersOwnTakesItAway) {
  live_and_die(first_user);
  const std::vector<std::string> left = files_of(first_user);
  ASSERT_GT(left.size(), 5U);
  EXPECT_TRUE(visit(second_user));
  EXPECT_TRUE(visit(second_user));
  EXPECT_EQ(files_of(first_user), left);
  EXPECT_TRUE(files_of(second_user).empty());
  EXPECT_TRUE(visit(first_user));  // ... and the topic, as its directory is this user's
}

TEST_F(SharedRoot, UserThatMadeATopicTakesItAwayWithWhatTheDeadOfOthersLeft) {
  Signal there;
  Signal over;
  Child maker([&] {
    EXPECT_TRUE(become(second_user));
    Node node = must(Node::open());
    const Publisher publisher = must(node.publisher(root_.uri("grant=block")));
    there.give();
    EXPECT_TRUE(over.await());
    EXPECT_FALSE(files_of(first_user).empty());
    return true;
  });
  ASSERT_TRUE(there.await());
  live_and_die(first_user);
  over.give();
  EXPECT_TRUE(maker.succeeded());
  EXPECT_TRUE(root_.files().empty());  // the sticky bit lets the owner of a directory remove all
}

TEST_F(SharedRoot, TheDeathOfAMemberHoldsNobodyBackAndItsMemoryIsUsedAgain) {
  Signal is_dead;
  Child publishing([&] {
    EXPECT_TRUE(become(first_user));
    Node node = must(Node::open());
    Publisher publisher = must(node.publisher(root_.uri("grant=block&deadline=60s&depth=1&memory=16KiB")));
    must(publisher.wait_for_subscribers(1, after(std::chrono::minutes(1))));
    must(send(publisher, 5000, 0));
    EXPECT_TRUE(is_dead.await());
    // Two fit into the memory, of which the dead one has one in hand and the other unread.
    for (std::uint64_t round = 1; round < 20; ++round) must(send(publisher, 5000, round));
    return true;
  });
  Child victim([&] {
    EXPECT_TRUE(become(second_user));
    Node node = must(Node::open());
    Subscriber subscriber = must(node.subscriber(root_.uri("policy=lossless&depth=1")));
    const Sample in_hand = next_sample(subscriber);
    return raise(SIGKILL) == 0;
  });
  EXPECT_FALSE(victim.succeeded());
  is_dead.give();
  EXPECT_TRUE(publishing.succeeded());
  EXPECT_TRUE(visit(second_user));  // takes away what its user's dead left
  EXPECT_TRUE(visit(first_user));
}

TEST_F(SharedRoot, DurableMemberBelongsToItsUserAndRemovingTakesAllOrNothing) {
  const std::string durable = "history=4&durability=persistent&name=keeper";
  const auto publish = [&](uid_t user, std::uint64_t first) {
    Child child([&, user, first] {
      EXPECT_TRUE(become(user));
      Node node = must(Node::open());
      Publisher publisher = must(node.publisher(root_.uri(durable)));
      EXPECT_EQ(publisher.next_sequence(), first);
      must(send(publisher, 1000, first));
      return true;
    });
    return child.succeeded();
  };
  ASSERT_TRUE(publish(first_user, 0));
  const auto refusal_to_another = [&] {
    Child child([&] {
      EXPECT_TRUE(become(second_user));
      Node node = must(Node::open());
      const auto refused = node.publisher(root_.uri(durable));
      EXPECT_FALSE(refused);
      EXPECT_EQ(refused.error().code(), ErrorCode::permission_denied);
      EXPECT_THAT(refused.error().message(), HasSubstr("user 41001"));
      return true;
    });
    return child.succeeded();
  };
  EXPECT_TRUE(refusal_to_another());
  // Who planted it for others to take would go on writing to it.
  ASSERT_EQ(chmod((root_.directory() / root_.segment(Role::publisher)).c_str(), 0660), 0);
  EXPECT_TRUE(refusal_to_another());
  Child other([&] {
    EXPECT_TRUE(become(second_user));
    Node node = must(Node::open());
    Subscriber subscriber = must(node.subscriber(root_.uri("history=4&depth=4&durability=persistent&name=reader")));
    EXPECT_TRUE(is_filled(next_sample(subscriber).payload(), 0));
    { const Subscriber left = std::move(subscriber); }
    const Status removed = node.remove(root_.uri());
    EXPECT_FALSE(removed);
    EXPECT_EQ(removed.error().code(), ErrorCode::permission_denied) << removed.error().message();
    EXPECT_THAT(removed.error().message(), HasSubstr("topic \"camera/front\""));
    return true;
  });
  EXPECT_TRUE(other.succeeded());
  EXPECT_TRUE(publish(first_user, 1)) << "something was removed";
  must(must(Node::open()).remove(root_.uri()));  // by root
}

// On a disk: whose topic file is from before the machine was started again may come late, or never.
TEST_F(SharedRoot, TopicFileOfAFormerBootKeepsNobodyOut) {
  Child maker([&] {
    EXPECT_TRUE(become(first_user));
    Publisher publisher =
        must(must(Node::open()).publisher(root_.uri("depth=8&history=4&durability=persistent&name=keeper")));
    must(send(publisher, 1000, 7));
    return true;
  });
  ASSERT_TRUE(maker.succeeded());
  {
    const File file = must(open_file(AT_FDCWD, root_.directory() / topic_file, O_RDWR, "restarting the machine"));
    TopicHeader header{};
    ASSERT_EQ(pread(file.get(), &header, sizeof(header), 0), sizeof(header));
    header.boot = 1;
    header.origin_nanoseconds = 0;
    ASSERT_EQ(pwrite(file.get(), &header, sizeof(header), 0), sizeof(header));
  }
  Signal there;
  Signal over;
  Child owners_absence([&] {
    EXPECT_TRUE(become(second_user));
    Node node = must(Node::open());
    Subscriber subscriber = must(node.subscriber(root_.uri("depth=4&history=4")));
    EXPECT_TRUE(is_filled(next_sample(subscriber).payload(), 7));
    Publisher publisher = must(node.publisher(root_.uri("depth=8&history=4")));
    const auto before = std::chrono::steady_clock::now();
    must(send(publisher, 1000, 8));
    const auto after_it = std::chrono::steady_clock::now();
    const Sample sample = next_sample(subscriber);
    EXPECT_GE(sample.publish_time(), before - std::chrono::milliseconds(1));
    EXPECT_LE(sample.publish_time(), after_it + std::chrono::milliseconds(1));
    there.give();
    return over.await();
  });
  ASSERT_TRUE(there.await());
  EXPECT_TRUE(visit(first_user)) << "who replaces it";
  over.give();
  EXPECT_TRUE(owners_absence.succeeded());
  must(must(Node::open()).remove(root_.uri()));
}

TEST_F(SharedRoot, UserOutsideTheGroupIsToldTheRootTheGroupAndTheRemedy) {
  const auto expect_refusal = [&] {
    Child child([&] {
      EXPECT_TRUE(become(outsider, false));
      Node node = must(Node::open());
      const auto joined = node.publisher(root_.uri());
      EXPECT_FALSE(joined);
      EXPECT_EQ(joined.error().code(), ErrorCode::permission_denied);
      for (const char* part : {root_.path().c_str(), "group 41000", "user 41003", "add the user", "WEIR_ROOT"}) {
        EXPECT_THAT(joined.error().message(), HasSubstr(part));
      }
      const auto listed = node.topics(root_.backend_uri());
      EXPECT_FALSE(listed);
      EXPECT_THAT(listed.error().message(), HasSubstr("group 41000"));
      return true;
    });
    EXPECT_TRUE(child.succeeded());
  };
  expect_refusal();
  EXPECT_TRUE(visit(first_user));
  expect_refusal();
}

TEST_F(SharedRoot, PrivateRootOfAnotherUserIsRefusedWhateverItsModes) {
  ASSERT_EQ(chown(root_.path().c_str(), first_user, group), 0);
  const std::string version = root_.path() + "/v1";
  for (const mode_t mode : {0700U, 0755U, 0777U, 01777U, 0770U, 02770U}) {
    ASSERT_EQ(chmod(root_.path().c_str(), mode | S_IXOTH), 0);
    ASSERT_EQ(mkdir(version.c_str(), 0700), 0);
    ASSERT_EQ(chown(version.c_str(), first_user, group), 0);
    ASSERT_EQ(chmod(version.c_str(), mode), 0);
    Child child([&] {
      EXPECT_TRUE(become(second_user));
      const auto joined = must(Node::open()).publisher(root_.uri());
      EXPECT_FALSE(joined);
      EXPECT_EQ(joined.error().code(), ErrorCode::permission_denied);
      for (const char* part : {version.c_str(), "belongs to user 41001", "WEIR_ROOT", "chmod 3770"}) {
        EXPECT_THAT(joined.error().message(), HasSubstr(part));
      }
      return true;
    });
    EXPECT_TRUE(child.succeeded()) << std::oct << mode;
    EXPECT_EQ(rmdir(version.c_str()), 0) << "it was used";
  }
}

TEST_F(SharedRoot, UserThatMayMakeNoRootIsToldWhereAndNotToRemoveAnything) {
  ASSERT_EQ(chmod(root_.path().c_str(), 0755), 0);  // of the user root, as /etc
  Child child([&] {
    EXPECT_TRUE(become(first_user));
    for (const std::string& parent : {root_.path(), std::string("/")}) {
      const std::string root = (parent == "/" ? "" : parent) + "/no-such-root";
      const auto joined = must(Node::open()).publisher("shm://feed?root=" + root);
      EXPECT_FALSE(joined);
      EXPECT_EQ(joined.error().code(), ErrorCode::permission_denied);
      const std::string where = ": " + parent + " belongs to user 0, and user 41001 may make nothing in it";
      EXPECT_THAT(joined.error().message(), HasSubstr(where));
      EXPECT_THAT(joined.error().message(), HasSubstr("WEIR_ROOT"));
    }
    return true;
  });
  EXPECT_TRUE(child.succeeded());
}

// Of one user, everywhere.
TEST(SharedRootOfOneUser, IsMadeWholeOrNotAtAll) {
  const TopicRoot root;
  ASSERT_NO_FATAL_FAILURE(share(root, getegid()));
  const int kills = kill_at_each_system_call({
      .prepare = [] { umask(077); },
      .body = [&] { must(must(Node::open()).publisher(root.uri())); },
      .judge =
          [&] {
            for (const auto& entry : std::filesystem::recursive_directory_iterator(root.path())) {
              if (entry.is_directory() && !is_half_made(entry.path().filename().string())) {
                EXPECT_EQ(mode_of(entry.path()), 03770U) << entry.path();
              }
            }
            must(must(Node::open()).publisher(root.uri()));
            root.expect_nothing_left();
            std::filesystem::remove(std::filesystem::path(root.path()) / "v1");
          },
  });
  EXPECT_GT(kills, 100) << "system calls were not met";
}

TEST(SharedRootOfOneUser, ManyThatComeAtOnceAllJoin) {
  const TopicRoot root;
  ASSERT_NO_FATAL_FAILURE(share(root, getegid()));
  for (int round = 0; round < 10; ++round) {
    std::vector<std::unique_ptr<Child>> children;
    for (int child = 0; child < 6; ++child) {
      children.push_back(std::make_unique<Child>([&] {
        must(must(Node::open()).publisher(root.uri()));
        return true;
      }));
    }
    for (const auto& child : children) EXPECT_TRUE(child->succeeded());
    std::filesystem::remove(std::filesystem::path(root.path()) / "v1");
  }
}

}  // namespace
}  // namespace weir::shm::testing
