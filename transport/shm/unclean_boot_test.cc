// Persistence survives processes, not the machine: what a durable topic on a disk is after the machine went down.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <string>

#include <gtest/gtest.h>

#include "transport/node.h"
#include "transport/shm/layout.h"
#include "transport/shm/test_topic.h"

namespace {

// A disk on which the first page of a publisher's segment is as it was last forced there; the rest comes by itself.
alignas(weir::shm::PublisherHeader) std::array<std::byte, weir::shm::page> page_on_disk{};     // NOLINT
alignas(weir::shm::SubscriberHeader) std::array<std::byte, weir::shm::page> reader_on_disk{};  // NOLINT
bool data_is_refused = false;                                                                  // NOLINT
bool pages_are_refused = false;                                                                // NOLINT

}  // namespace

// In place of the library's.
// NOLINTBEGIN(readability-identifier-naming)
extern "C" int msync(void* addr, size_t len, int flags) {
  if (pages_are_refused) {
    errno = EIO;
    return -1;
  }
  std::uint64_t magic = 0;
  std::memcpy(&magic, addr, sizeof(magic));
  if (magic == weir::shm::publisher_magic) std::memcpy(page_on_disk.data(), addr, page_on_disk.size());
  if (magic == weir::shm::subscriber_magic) std::memcpy(reader_on_disk.data(), addr, reader_on_disk.size());
  return static_cast<int>(syscall(SYS_msync, addr, len, flags));
}
extern "C" int fdatasync(int fildes) {
  errno = EIO;
  return data_is_refused ? -1 : static_cast<int>(syscall(SYS_fdatasync, fildes));
}
// NOLINTEND(readability-identifier-naming)

namespace weir::shm::testing {
namespace {

class UncleanBoot : public ::testing::Test {
 public:
  UncleanBoot(const UncleanBoot&) = delete;
  UncleanBoot& operator=(const UncleanBoot&) = delete;
  ~UncleanBoot() override { EXPECT_TRUE(node_.remove(root_.uri())); }

 protected:
  UncleanBoot() = default;

  // What the machine's restart changes: the member's segment is of a boot that is not this one.
  void restart_machine(Role role = Role::publisher) const {
    const std::string path = root_.directory() / root_.segment(role);
    const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    ASSERT_GE(file, 0) << path;
    const std::uint64_t another = 1;
    const std::size_t tenure =
        role == Role::publisher ? offsetof(PublisherHeader, tenure) : offsetof(SubscriberHeader, tenure);
    EXPECT_EQ(pwrite(file, &another, sizeof(another), static_cast<off_t>(tenure + offsetof(Tenure, boot))),
              sizeof(another));
    close(file);
  }

  // Power goes: of the publisher's first page the disk has what was forced there.
  void lose_power() const {
    const std::string path = root_.directory() / root_.segment(Role::publisher);
    const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    EXPECT_EQ(pwrite(file, page_on_disk.data(), page_on_disk.size(), 0), static_cast<ssize_t>(page_on_disk.size()));
    close(file);
  }

  void publish_five() {
    Publisher publisher = must(node_.publisher(keeper_));
    for (int message = 0; message < 5; ++message) must(send(publisher, 100, 1));
  }

  TopicRoot root_;
  Node node_ = must(Node::open());
  const std::string keeper_ = root_.uri("durability=persistent&name=keeper&depth=8&history=5");
  const std::string reader_ = root_.uri("durability=persistent&name=reader&depth=8&history=5");
};

TEST_F(UncleanBoot, WhatWasLeftCleanlyIsStillThere) {
  publish_five();
  restart_machine();
  Subscriber late = must(node_.subscriber(root_.uri("depth=8&history=5")));
  EXPECT_EQ(drain(late), 5U);
  EXPECT_EQ(must(node_.publisher(keeper_)).next_sequence(), 5U);
}

TEST_F(UncleanBoot, WhatWasLeftCleanlyButTakenUpAgainIsGone) {
  publish_five();
  Child child([this] {
    node_ = must(Node::open());
    Publisher publisher = must(node_.publisher(keeper_));
    for (int message = 0; message < 5; ++message) must(send(publisher, 100, 1));
    lose_power();
    return raise(SIGKILL) == 0;
  });
  EXPECT_FALSE(child.succeeded());
  restart_machine();
  Subscriber late = must(node_.subscriber(root_.uri("depth=8&history=5")));
  EXPECT_EQ(drain(late), 0U) << "of what cannot be trusted";
}

TEST_F(UncleanBoot, WhatMayNotHaveReachedTheDiskIsGoneThoughItWasLeftCleanly) {
  data_is_refused = true;
  publish_five();
  data_is_refused = false;
  restart_machine();
  Subscriber late = must(node_.subscriber(root_.uri("depth=8&history=5")));
  EXPECT_EQ(drain(late), 0U) << "of what cannot be trusted";
}

TEST_F(UncleanBoot, WhatWasLeftCleanlyIsStillThereAfterAReturnThatTheDiskRefused) {
  publish_five();
  pages_are_refused = true;
  const auto refused = node_.publisher(keeper_);
  pages_are_refused = false;
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::internal) << refused.error().message();
  restart_machine();
  Subscriber late = must(node_.subscriber(root_.uri("depth=8&history=5")));
  EXPECT_EQ(drain(late), 5U);
}

TEST_F(UncleanBoot, WhatASubscriberHadInHandIsNotToldFromWhatCannotBeTrusted) {
  publish_five();
  for (const bool is_trusted : {true, false}) {
    Child child([this] {
      Subscriber reader = must(must(Node::open()).subscriber(reader_));
      const Sample in_hand = next_sample(reader);
      return raise(SIGKILL) == 0;
    });
    EXPECT_FALSE(child.succeeded());
    if (!is_trusted) restart_machine(Role::subscriber);
    EXPECT_EQ(must(must(node_.subscriber(reader_)).in_hand_at_death()).size(), is_trusted ? 1U : 0U);
  }
}

TEST_F(UncleanBoot, SubscriberThatIsTakenUpAgainIsInUseOnTheDiskBeforeItTakesAnything) {
  publish_five();
  const auto is_settled = [] {
    return reinterpret_cast<const SubscriberHeader*>(reader_on_disk.data())->tenure.settled.load() != 0;
  };
  { const Subscriber left = must(node_.subscriber(reader_)); }
  EXPECT_TRUE(is_settled());
  const Subscriber again = must(node_.subscriber(reader_));
  EXPECT_FALSE(is_settled());
}

TEST_F(UncleanBoot, WhatWasInUseIsGoneAndTheLossIsAnnounced) {
  {
    Subscriber reader = must(node_.subscriber(reader_));
    Child child([this] {
      node_ = must(Node::open());
      Publisher publisher = must(node_.publisher(keeper_));
      for (int message = 0; message < 5; ++message) must(send(publisher, 100, 1));
      raise(SIGKILL);
      return true;
    });
    EXPECT_FALSE(child.succeeded());
    EXPECT_TRUE(must(reader.take()));
    EXPECT_TRUE(must(reader.take()));
  }
  restart_machine();
  Subscriber late = must(node_.subscriber(root_.uri("depth=8&history=5")));
  EXPECT_EQ(drain(late), 0U) << "of what cannot be trusted";
  Publisher publisher = must(node_.publisher(keeper_));
  EXPECT_EQ(publisher.next_sequence(), 5U);
  EXPECT_EQ(drain(late), 0U) << "of what cannot be trusted";
  must(send(publisher, 100, 1));
  EXPECT_EQ(next_sample(late).sequence(), 5U);
  Subscriber reader = must(node_.subscriber(reader_));
  must(send(publisher, 100, 1));
  const Sample sample = next_sample(reader);
  EXPECT_EQ(sample.sequence(), 5U);
  EXPECT_EQ(sample.lost_before(), 3U);
}

}  // namespace
}  // namespace weir::shm::testing
