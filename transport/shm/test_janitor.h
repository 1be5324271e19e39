// A topic's directory with segments of nobody, for janitors to find.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "transport/shm/janitor.h"
#include "transport/shm/lock.h"
#include "transport/shm/root.h"
#include "transport/shm/test_processes.h"

namespace weir::shm::testing {

using Names = std::vector<std::string>;

inline constexpr PeerId first_id = 0x5f0c'93a1'd2e4'b687;
inline constexpr PeerId second_id = 0x19be'7702'3fd1'c5a4;
inline constexpr SegmentName publisher{Role::publisher, first_id};
inline constexpr SegmentName subscriber{Role::subscriber, second_id};

class JanitorTest : public ::testing::Test {
 protected:
  JanitorTest() { make_topic(); }

  void make_topic() {
    ASSERT_EQ(mkdirat(root.descriptor(), "topic", 0700), 0);
    auto opened = open_file(root.descriptor(), "topic", O_RDONLY | O_DIRECTORY, "opening");
    ASSERT_TRUE(opened);
    directory = std::move(*opened);
    make(epoch_file);
    make(topic_file);
  }

  void make(const std::string& name, std::size_t size = page) const {
    const auto file = make_unnamed(directory.get(), size, "making");
    ASSERT_TRUE(file);
    ASSERT_TRUE(link_file(*file, directory.get(), name, "linking"));
  }

  // A segment with every companion that it can have; nobody owns it.
  void make_segment(SegmentName segment) const {
    make(segment_name(segment.role, segment.id));
    ASSERT_EQ(mkfifoat(directory.get(), life_name(segment.role, segment.id).c_str(), 0600), 0);
    ASSERT_EQ(mkfifoat(directory.get(), wake_name(segment.role, segment.id).c_str(), 0600), 0);
    if (segment.role == Role::publisher) {
      make(chunk_file_name(segment.id, 0));
      make(chunk_file_name(segment.id, 255));
    }
  }

  [[nodiscard]] File open(const std::string& name) const {
    auto file = open_file(directory.get(), name, O_RDWR, "opening");
    EXPECT_TRUE(file) << file.error().message();
    return file ? std::move(*file) : File();
  }

  [[nodiscard]] Lock lock(const std::string& name, LockRange range, LockKind kind) const {
    auto lock = Lock::try_take(open(name), range, kind, "locking");
    EXPECT_TRUE(lock && *lock);
    return lock && *lock ? std::move(**lock) : Lock();
  }

  [[nodiscard]] Lock live_as(SegmentName segment) const {
    return lock(segment_name(segment.role, segment.id), owner_byte, LockKind::exclusive);
  }

  bool remove(SegmentName segment) { return remove_segment_if_dead(directory.get(), segment, counters); }
  void clean() { clean_topic(directory.get(), counters); }

  [[nodiscard]] Names names() const {
    Names names = entries_of(directory.get());
    std::sort(names.begin(), names.end());
    return names;
  }
  [[nodiscard]] bool has_topic() const { return faccessat(root.descriptor(), "topic", F_OK, 0) == 0; }

  // As a subscriber that was killed asleep left it.
  void count_as_sleeper(SegmentName segment, std::uint64_t magic = subscriber_magic) const {
    SubscriberHeader header{};
    header.common.magic = magic;
    header.counted = 1;
    write(segment, header);
  }

  template <class Header>
  void write(SegmentName segment, const Header& header) const {
    const File file = open(segment_name(segment.role, segment.id));
    ASSERT_EQ(pwrite(file.get(), static_cast<const void*>(&header), sizeof(header), 0),
              static_cast<ssize_t>(sizeof(header)));
  }

  const TemporaryRoot root;   // NOLINT(readability-identifier-naming): for the bodies of the tests
  File directory;             // NOLINT(readability-identifier-naming)
  SharedCounters counters{};  // NOLINT(readability-identifier-naming)
};

}  // namespace weir::shm::testing
