// A file system that fails while a directory is read, as a disk may: a part of the list never passes for the whole.
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transport/shm/test_topic.h"

namespace {

bool reading_fails = false;  // NOLINT: the system call has no other place

}  // namespace

// In place of the library's.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" ssize_t getdents64(int directory, void* buffer, size_t size) {
  if (reading_fails) {
    errno = EIO;
    return -1;
  }
  return syscall(SYS_getdents64, directory, buffer, size);
}

namespace weir::shm::testing {
namespace {

class UnreadableDirectory : public ::testing::Test {
 public:
  UnreadableDirectory(const UnreadableDirectory&) = delete;
  UnreadableDirectory& operator=(const UnreadableDirectory&) = delete;
  ~UnreadableDirectory() override { reading_fails = false; }

 protected:
  UnreadableDirectory() = default;

  const TopicRoot root_;            // NOLINT: for the bodies of the tests
  Node node_ = must(Node::open());  // NOLINT
};

TEST_F(UnreadableDirectory, SamplesInHandStayAsTheyAre) {
  Publisher publisher = must(node_.publisher(root_.uri("depth=1&memory=64KiB")));
  Subscriber subscriber = must(node_.subscriber(root_.uri("depth=1")));
  must(publisher.wait_for_subscribers(1, after(std::chrono::minutes(1))));
  must(send(publisher, 5000, 7));
  const Sample in_hand = next_sample(subscriber);
  static_cast<void>(must(node_.subscriber(root_.uri("depth=1"))));  // everybody lists again
  reading_fails = true;
  for (std::uint64_t round = 0; round < 100; ++round) {
    static_cast<void>(send(publisher, 5000, ~round));  // it may say that it cannot
  }
  EXPECT_TRUE(is_filled(in_hand.payload(), 7));
  reading_fails = false;
  must(send(publisher, 5000, 8));
  EXPECT_EQ(must(publisher.peers()).size(), 1U);
}

TEST_F(UnreadableDirectory, CallsThatMustReadItSayWhy) {
  Publisher publisher = must(node_.publisher(root_.uri()));
  reading_fails = true;
  const auto topics = node_.topics(root_.backend_uri());
  ASSERT_FALSE(topics);
  EXPECT_THAT(topics.error().message(), ::testing::HasSubstr("reading a directory: Input/output error"));
  reading_fails = false;
  EXPECT_EQ(must(node_.topics(root_.backend_uri())).size(), 1U);
}

TEST_F(UnreadableDirectory, DurableTopicIsNotTakenForAnEmptyOne) {
  {
    Publisher publisher = must(node_.publisher(root_.uri("durability=persistent&name=keeper&depth=8&history=5")));
    for (std::uint64_t round = 0; round < 5; ++round) must(send(publisher, 5000, round));
    reading_fails = true;
  }
  reading_fails = false;
  const std::vector<std::string> files = root_.files();
  EXPECT_THAT(files, ::testing::Contains("topic"));
  Subscriber late = must(node_.subscriber(root_.uri("depth=8&history=5")));
  EXPECT_EQ(drain(late), 5U);
  { const Subscriber left = std::move(late); }
  must(node_.remove(root_.uri()));
}

}  // namespace
}  // namespace weir::shm::testing
