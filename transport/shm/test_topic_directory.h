// A topic directory of its own for each test, at a place where nobody else looks.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transport/shm/names.h"
#include "transport/shm/test_processes.h"
#include "transport/shm/topic_directory.h"

namespace weir::shm::testing {

using Names = std::vector<std::string>;
using Topic = std::unique_ptr<TopicDirectory>;

class TopicDirectoryTest : public ::testing::Test {
 protected:
  [[nodiscard]] Topic join() const {
    Result<Topic> topic = TopicDirectory::join(place_);
    EXPECT_TRUE(topic) << topic.error().message();
    return topic ? std::move(*topic) : nullptr;
  }

  // The error of a join that must fail, naming the topic and where it is.
  [[nodiscard]] Error refusal() const {
    const Result<Topic> topic = TopicDirectory::join(place_);
    EXPECT_FALSE(topic);
    if (topic) return {ErrorCode::internal, "joined"};
    EXPECT_THAT(topic.error().message(), ::testing::HasSubstr("topic \"camera/front\""));
    EXPECT_THAT(topic.error().message(), ::testing::HasSubstr(root.path()));
    return topic.error();
  }

  [[nodiscard]] std::string directory() const { return place_.root + "/" + place_.name; }
  [[nodiscard]] std::string path_of(const char* file) const { return directory() + "/" + file; }

  [[nodiscard]] bool is_empty() const { return entries_of(root.descriptor()).empty(); }
  [[nodiscard]] Names files() const {
    const auto opened = open_file(AT_FDCWD, directory(), O_RDONLY | O_DIRECTORY, "opening");
    Names names = opened ? entries_of(opened->get()) : Names();
    std::sort(names.begin(), names.end());
    return names;
  }

  // Leaves the topic as a user that was killed leaves it.
  void leave_dead_topic() const {
    Signal joined;
    Child user([&] {
      const Topic topic = join();
      joined.give();
      pause();
      return topic != nullptr;
    });
    ASSERT_TRUE(joined.await());
    user.kill_and_reap();
    ASSERT_EQ(files(), (Names{epoch_file, topic_file}));
  }

  // Overwrites bytes of the topic file, which nobody may write by now.
  template <class Field>
  void scribble(std::size_t offset, const Field& value) const {
    ASSERT_EQ(chmod(path_of(topic_file).c_str(), 0600), 0);
    const File file(::open(path_of(topic_file).c_str(), O_RDWR | O_CLOEXEC));
    ASSERT_EQ(pwrite(file.get(), &value, sizeof(value), static_cast<off_t>(offset)),
              static_cast<ssize_t>(sizeof(value)));
  }

  const TemporaryRoot root;  // NOLINT(readability-identifier-naming): for the bodies of the tests
  Place place_{.root = root.path(), .topic = "camera/front", .name = directory_of("camera/front")};
};

}  // namespace weir::shm::testing
