// What a publisher's waits leave behind: the descriptor of one that was refused tells of room, that of another nothing.
// And who wakes one that waits.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <stop_token>
#include <string>

#include "transport/shm/file.h"
#include "transport/shm/layout.h"
#include "transport/shm/test_topic.h"

namespace weir::shm::testing {
namespace {

// A word of a file of the topic.
template <class Value>
Value word_of(const TopicRoot& root, const std::string& file, std::size_t offset) {
  const File opened = must(open_file(AT_FDCWD, root.directory() / file, O_RDONLY, "looking"));
  Value word = 0;
  EXPECT_EQ(pread(opened.get(), &word, sizeof(word), static_cast<off_t>(offset)), static_cast<ssize_t>(sizeof(word)));
  return word;
}

// What the publisher's segment tells subscribers to wake it by.
std::uint64_t want_of_publisher(const TopicRoot& root) {
  return word_of<std::uint64_t>(root, root.segment(Role::publisher), offsetof(PublisherHeader, want));
}

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

  [[nodiscard]] std::uint64_t want() const { return want_of_publisher(root_); }

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

// A publisher, in a process of its own, that waits for space until it is stopped amid that.
class StoppedPublisher {
 public:
  explicit StoppedPublisher(const TopicRoot& root)
      : process_([&root, this] {
          Node node = must(Node::open());
          Publisher publisher = must(node.publisher(root.uri("depth=8&grant=block&deadline=60s")));
          must(publisher.wait_for_subscribers(2, never));
          for (std::uint64_t sequence = 0; sequence < 8; ++sequence) {
            must(send(publisher, 64, sequence));
          }
          full_.give();
          return goes_on_.await() && send(publisher, 64, 8).has_value();
        }) {
    EXPECT_TRUE(full_.await());
  }
  // Lets it publish more than there is space for, and stops it once it waits with its `want` word set.
  void stop(const TopicRoot& root) const {
    goes_on_.give();
    while (true) {
      while (want_of_publisher(root) == 0) {
        sched_yield();
      }
      ASSERT_EQ(kill(process_.pid(), SIGSTOP), 0);
      int status = 0;
      ASSERT_EQ(waitpid(process_.pid(), &status, WUNTRACED), process_.pid());
      ASSERT_TRUE(WIFSTOPPED(status));
      if (want_of_publisher(root) != 0) {
        return;
      }
      ASSERT_EQ(kill(process_.pid(), SIGCONT), 0);
    }
  }

 private:
  Signal full_;
  Signal goes_on_;
  Child process_;
};

// Else it would wake for each of many, and find that another holds it back still.
TEST(PublisherWithoutSpace, IsWokenByWhoIsFurthestBehindAlone) {
  const TopicRoot root;
  Node node = must(Node::open());
  Subscriber behind = must(node.subscriber(root.uri("policy=lossless&depth=8")));
  Subscriber ahead = must(node.subscriber(root.uri("policy=lossless&depth=8")));
  const auto rings = [&] { return word_of<std::uint32_t>(root, "epoch", offsetof(SharedCounters, twin)); };
  {
    const StoppedPublisher publisher(root);
    ASSERT_EQ(must(behind.wait(never)), Wake::ready);  // it has its place now
    ASSERT_TRUE(next_sample(ahead));
    publisher.stop(root);
    const std::uint32_t before = rings();
    EXPECT_EQ(drain(ahead), 7U);
    EXPECT_EQ(must(ahead.wait(after(std::chrono::milliseconds(1)))), Wake::deadline);
    EXPECT_EQ(rings(), before);
    EXPECT_EQ(drain(behind), 8U);
    EXPECT_NE(rings(), before);
  }
}

}  // namespace
}  // namespace weir::shm::testing
