// A root on a real disk: slower tails, the same promises. What was sent is there after any death of a process.
#include <sys/vfs.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "transport/shm/test_topic.h"

namespace weir::shm::testing {
namespace {

constexpr std::size_t in_a_chunk = 100'000;

class DiskRoot : public ::testing::Test {
 protected:
  // Where the test may write on a disk; a temporary file system or an overlay is none.
  void SetUp() override {
    const char* given = std::getenv("TEST_TMPDIR");
    path_ = std::string(given != nullptr ? given : "/var/tmp") + "/weir-disk-XXXXXX";
    ASSERT_NE(mkdtemp(path_.data()), nullptr) << path_;
    struct statfs file_system {};
    ASSERT_EQ(statfs(path_.c_str(), &file_system), 0);
    constexpr decltype(file_system.f_type) tmpfs = 0x0102'1994;
    constexpr decltype(file_system.f_type) overlay = 0x794c'7630;
    if (file_system.f_type == tmpfs || file_system.f_type == overlay) {
      std::fprintf(stderr, "NOT TESTED: a root on a disk, as %s is on none: set TEST_TMPDIR\n", path_.c_str());
      GTEST_SKIP() << path_ << " is not on a disk";
    }
  }
  void TearDown() override {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path_)) {
      EXPECT_EQ(entry.path().filename(), "v1") << "left behind";
    }
    std::filesystem::remove_all(path_);
  }

  [[nodiscard]] std::string uri(const std::string& options) const {
    return "shm://camera/front?root=" + path_ + "&" + options;
  }
  // A process that publishes so many from `first` on, in slots and in chunks, and is killed.
  void publish_and_die(std::uint64_t first, std::uint64_t count, const std::string& options) const {
    Child child([&] {
      Publisher publisher = must(must(Node::open()).publisher(uri(options)));
      EXPECT_EQ(publisher.next_sequence(), first);
      must(publisher.wait_for_subscribers(1, after(std::chrono::minutes(1))));
      for (std::uint64_t sequence = first; sequence < first + count; ++sequence) {
        must(send(publisher, sequence % 2 == 0 ? 64 : in_a_chunk, sequence));
      }
      return raise(SIGKILL) == 0;
    });
    EXPECT_FALSE(child.succeeded());
  }
  static void expect_next(Subscriber& subscriber, std::uint64_t sequence) {
    const Sample sample = next_sample(subscriber);
    EXPECT_EQ(sample.sequence(), sequence);
    EXPECT_EQ(sample.lost_before(), 0U);
    EXPECT_TRUE(is_filled(sample.payload(), sequence));
  }

  std::string path_;
};

TEST_F(DiskRoot, WhatAKilledPublisherSentArrivesAndNothingIsLeft) {
  Node node = must(Node::open());
  Subscriber subscriber = must(node.subscriber(uri("policy=lossless&depth=16")));
  publish_and_die(0, 10, "grant=block&depth=16");
  for (std::uint64_t sequence = 0; sequence < 10; ++sequence) expect_next(subscriber, sequence);
}

TEST_F(DiskRoot, DurablePublisherGoesOnAfterEachDeathAndItsHistoryOutlivesEverybody) {
  const std::string keeper = "grant=block&depth=16&history=8&durability=persistent&name=keeper";
  Node node = must(Node::open());
  {
    Subscriber subscriber = must(node.subscriber(uri("policy=lossless&depth=16")));
    for (std::uint64_t first = 0; first < 30; first += 10) {
      publish_and_die(first, 10, keeper);
      for (std::uint64_t sequence = first; sequence < first + 10; ++sequence) expect_next(subscriber, sequence);
    }
  }
  Subscriber late = must(node.subscriber(uri("depth=8&history=8")));
  for (std::uint64_t sequence = 22; sequence < 30; ++sequence) expect_next(late, sequence);
  { const Subscriber left = std::move(late); }
  must(node.remove(uri("")));
}

}  // namespace
}  // namespace weir::shm::testing
