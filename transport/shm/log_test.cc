// What the transport tells the log: deaths, what was removed after them, what is left out; and nothing of messages.
#include "transport/log.h"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "transport/shm/lock.h"
#include "transport/shm/test_topic.h"

namespace weir::shm::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ShmLog : public ::testing::Test {
 public:
  ShmLog(const ShmLog&) = delete;
  ShmLog& operator=(const ShmLog&) = delete;
  ~ShmLog() override { set_log({}); }

 protected:
  ShmLog() {
    set_log([this](const LogRecord& record) {
      const std::lock_guard<std::mutex> lock(mutex_);
      records_.push_back(std::string(to_string(record.severity)) + ' ' + std::string(record.topic) + ": " +
                         std::string(record.text));
    });
  }

  // What came since the last call.
  std::vector<std::string> told() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(records_, {});
  }

  // A process that joins, and is killed after `meanwhile`.
  template <class Join>
  void come_and_be_killed(
      Join join, const std::function<void()>& meanwhile = [] {}) {
    Child child([&] {
      Node node = must(Node::open());
      const auto endpoint = join(node);
      joined_.give();
      return never_given_.await();
    });
    ASSERT_TRUE(joined_.await());
    meanwhile();
    child.kill_and_reap();
  }

  const TopicRoot root_;            // NOLINT: for the bodies of the tests
  Node node_ = must(Node::open());  // NOLINT

 private:
  std::mutex mutex_;
  std::vector<std::string> records_;
  Signal joined_;
  Signal never_given_;
};

TEST_F(ShmLog, PublisherTellsOnceThatItsSubscriberIsDead) {
  Publisher publisher = must(node_.publisher(root_.uri()));
  const auto wait_for = [&](Change change) {
    pollfd ready{.fd = must(publisher.fd()), .events = POLLIN, .revents = 0};
    std::optional<MembershipEvent> event = must(publisher.next_event());
    while (!event || event->change != change) {
      ASSERT_EQ(poll(&ready, 1, watchdog_milliseconds), 1);
      event = must(publisher.next_event());
    }
  };
  come_and_be_killed([&](Node& node) { return must(node.subscriber(root_.uri("name=viewer"))); },
                     [&] { wait_for(Change::joined); });
  wait_for(Change::died);
  const std::vector<std::string> records = told();
  EXPECT_THAT(records, Contains(HasSubstr("info camera/front: subscriber ")).Times(1));
  EXPECT_THAT(records, Contains(HasSubstr("\"viewer\"")).Times(1));
}

TEST_F(ShmLog, WhoJoinsTellsWhatItRemovedAfterTheDead) {
  const Publisher publisher = must(node_.publisher(root_.uri()));
  come_and_be_killed([&](Node& node) { return must(node.subscriber(root_.uri())); });
  const Subscriber subscriber = must(node_.subscriber(root_.uri()));
  EXPECT_THAT(told(), Contains(HasSubstr("info camera/front: removed what subscriber ")).Times(1));
}

TEST_F(ShmLog, WhoFirstUsesARootTellsWhichTopicsItRemoved) {
  come_and_be_killed([&](Node& node) { return must(node.publisher(root_.uri("", "left behind"))); });
  Node other = must(Node::open());
  const Publisher publisher = must(other.publisher(root_.uri()));
  EXPECT_THAT(told(), Contains("info left behind: removed the topic, which dead processes had left").Times(1));
}

TEST_F(ShmLog, DamagedSubscriberIsToldOfOnceHoweverOftenItIsMet) {
  Publisher publisher = must(node_.publisher(root_.uri()));
  const std::string name = segment_name(Role::subscriber, 0x5f0c'93a1'd2e4'b687);
  std::ofstream(root_.directory() / name) << "not a segment";
  // With its owner's lock it passes for living.
  Lock owner = must(Lock::try_take(must(open_file(AT_FDCWD, root_.directory() / name, O_RDWR, "planting")), owner_byte,
                                   LockKind::exclusive, "planting"))
                   .value();
  for (int join = 0; join < 3; ++join) {
    const Subscriber subscriber = must(node_.subscriber(root_.uri()));
    must(publisher.wait_for_subscribers(1, after(std::chrono::seconds(10))));
  }
  EXPECT_THAT(told(), Contains(HasSubstr("warning camera/front: a peer is left out: ")).Times(1));
  owner = Lock();
}

TEST_F(ShmLog, ComingSendingAndLeavingAreNoNews) {
  {
    Publisher publisher = must(node_.publisher(root_.uri("history=2")));
    Subscriber subscriber = must(node_.subscriber(root_.uri("history=2")));
    for (std::uint64_t message = 0; message < 1'000; ++message) {
      must(send(publisher, 100, message));
      drain(subscriber);
    }
  }
  const Publisher next = must(node_.publisher(root_.uri()));
  EXPECT_THAT(told(), IsEmpty());
}

}  // namespace
}  // namespace weir::shm::testing
