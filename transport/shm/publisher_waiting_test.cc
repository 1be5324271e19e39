// What a publisher's waits leave behind: the descriptor of one that was refused tells of room, that of another nothing.
#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <stop_token>

#include "transport/shm/file.h"
#include "transport/shm/layout.h"
#include "transport/shm/test_topic.h"

namespace weir::shm::testing {
namespace {

constexpr int watchdog_milliseconds = 10'000;

class PublisherWaiting : public ::testing::Test {
 protected:
  void SetUp() override {
    while (must(publisher_.next_event())) {
    }
    ASSERT_FALSE(is_readable(descriptor_, 0));
  }
  // Publishes until it is refused.
  void fill_up() {
    std::uint64_t sent = 0;
    while (send(publisher_, 64, sent)) {
      ASSERT_LE(++sent, 2U);
    }
  }

  // What the publisher's segment tells subscribers to wake it by.
  [[nodiscard]] std::uint64_t want() const {
    const File segment =
        must(open_file(AT_FDCWD, root_.directory() / root_.segment(Role::publisher), O_RDONLY, "looking"));
    std::uint64_t word = 0;
    EXPECT_EQ(pread(segment.get(), &word, sizeof(word), offsetof(PublisherHeader, want)),
              static_cast<ssize_t>(sizeof(word)));
    return word;
  }

  const TopicRoot root_;                                                                  // NOLINT
  Node node_ = must(Node::open());                                                        // NOLINT
  Publisher publisher_ = must(node_.publisher(root_.uri("grant=reject&depth=2")));        // NOLINT
  Subscriber subscriber_ = must(node_.subscriber(root_.uri("policy=lossless&depth=2")));  // NOLINT
  int descriptor_ = must(publisher_.fd());                                                // NOLINT
};

TEST_F(PublisherWaiting, AnInterruptedWaitLeavesTheDescriptorToTellOfRoom) {
  fill_up();
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(must(publisher_.wait(never, stop.get_token())), Wake::interrupted);
  EXPECT_FALSE(is_readable(descriptor_, 0));
  EXPECT_TRUE(must(subscriber_.take()));
  EXPECT_TRUE(is_readable(descriptor_, watchdog_milliseconds));
}

TEST_F(PublisherWaiting, AWaitThatIsInterruptedWhileItSleepsLeavesTheDescriptorToTellOfRoom) {
  fill_up();
  std::stop_source stop;
  std::jthread interrupter([&] { stop.request_stop(); });
  EXPECT_EQ(must(publisher_.wait(never, stop.get_token())), Wake::interrupted);
  EXPECT_TRUE(must(subscriber_.take()));
  EXPECT_TRUE(is_readable(descriptor_, watchdog_milliseconds));
}

// Else each take of each lossless subscriber would open, write and close a FIFO.
TEST_F(PublisherWaiting, AfterRoomWasFoundTakesAreNotToldAnyMore) {
  fill_up();
  EXPECT_NE(want(), 0U);
  EXPECT_TRUE(must(subscriber_.take()));
  EXPECT_EQ(must(publisher_.wait(never)), Wake::ready);
  EXPECT_EQ(want(), 0U);
}

}  // namespace
}  // namespace weir::shm::testing
