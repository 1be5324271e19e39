// Death as an event: seen by who waits on a descriptor, whatever else of the dead process lives on.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>

#include "transport/shm/file.h"
#include "transport/shm/layout.h"
#include "transport/shm/test_topic.h"

namespace weir::shm::testing {
namespace {

template <class Endpoint>
void take_samples(Endpoint& endpoint) {
  if constexpr (std::is_same_v<Endpoint, Subscriber>) {
    drain(endpoint);
  }
}

// Takes all there is, so that the descriptor is quiet.
template <class Endpoint>
void quiet(Endpoint& endpoint) {
  const int descriptor = must(endpoint.fd());
  do {
    take_samples(endpoint);
    while (must(endpoint.next_event())) {
    }
  } while (is_readable(descriptor, 0));
}

// The next event, after the descriptor has told that there is one.
template <class Endpoint>
std::optional<MembershipEvent> announced_event(Endpoint& endpoint) {
  const int descriptor = must(endpoint.fd());
  while (is_readable(descriptor, watchdog_milliseconds)) {
    if (auto event = must(endpoint.next_event())) {
      return event;
    }
    take_samples(endpoint);
  }
  return std::nullopt;
}

// A process that does this first takes milliseconds to die: the kernel gives back what is mapped between the hang-up of
// its life FIFO and its lock, what was mapped later last.
void map_many_files() {
  constexpr int many = 10'000;
  for (int count = 0; count < many; ++count) {
    const File file(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    if (mmap(nullptr, page, PROT_READ, MAP_PRIVATE, file.get(), 0) == MAP_FAILED) throw std::runtime_error("mmap");
  }
}

// A peer whose process, if so wanted, has forked a child that outlives it.
enum class Offspring { none, one };

class DeathEvents : public ::testing::TestWithParam<Offspring> {
 protected:
  template <class Join>
  Child& start(Join join) {
    child_ = std::make_unique<Child>([this, join] {
      Node node = must(Node::open());
      const auto endpoint = join(node);
      if (GetParam() == Offspring::one) {
        if (fork() == 0) {
          forked_.give();
          end_of_test_.await();
          _exit(0);
        }
      } else {
        forked_.give();
      }
      joined_.give();
      return never_given_.await();
    });
    EXPECT_TRUE(forked_.await());
    EXPECT_TRUE(joined_.await());
    return *child_;
  }

  const TopicRoot root_;            // NOLINT: for the bodies of the tests
  Node node_ = must(Node::open());  // NOLINT

 private:
  Signal forked_;
  Signal joined_;
  Signal never_given_;
  Signal end_of_test_;  // its end of the pipe closes with the test, and so ends the offspring
  std::unique_ptr<Child> child_;
};

TEST_P(DeathEvents, OfAPublisherReachWhoWaitsOnADescriptor) {
  Subscriber subscriber = must(node_.subscriber(root_.uri()));
  quiet(subscriber);
  Child& child = start([this](Node& node) { return must(node.publisher(root_.uri())); });
  const auto joined = announced_event(subscriber);
  ASSERT_TRUE(joined) << "nobody told";
  EXPECT_EQ(joined->change, Change::joined);
  EXPECT_EQ(joined->peer.pid, child.pid());
  quiet(subscriber);
  child.kill_and_reap();
  const auto died = announced_event(subscriber);
  ASSERT_TRUE(died) << "nobody told";
  EXPECT_EQ(died->change, Change::died);
}

TEST_P(DeathEvents, OfASubscriberReachWhoWaitsOnADescriptor) {
  Publisher publisher = must(node_.publisher(root_.uri()));
  quiet(publisher);
  Child& child = start([this](Node& node) { return must(node.subscriber(root_.uri())); });
  const auto joined = announced_event(publisher);
  ASSERT_TRUE(joined) << "nobody told";
  EXPECT_EQ(joined->change, Change::joined);
  quiet(publisher);
  child.kill_and_reap();
  const auto died = announced_event(publisher);
  ASSERT_TRUE(died) << "nobody told";
  EXPECT_EQ(died->change, Change::died);
}

INSTANTIATE_TEST_SUITE_P(Offsprings, DeathEvents, ::testing::Values(Offspring::none, Offspring::one),
                         [](const ::testing::TestParamInfo<Offspring>& offspring) {
                           return offspring.param == Offspring::none ? "Alone" : "WithAForkedChildThatLivesOn";
                         });

TEST(DeathsThatTakeTheKernelLong, AreToldOnceTheLockIsGone) {
  const TopicRoot root;
  Node node = must(Node::open());
  Subscriber subscriber = must(node.subscriber(root.uri()));
  Publisher publisher = must(node.publisher(root.uri()));
  quiet(subscriber);
  quiet(publisher);
  for (int round = 0; round < 5; ++round) {
    Signal joined;
    Signal never_given;
    Child dying([&] {
      map_many_files();
      Node node_of_dying = must(Node::open());
      const Publisher other_publisher = must(node_of_dying.publisher(root.uri()));
      const Subscriber other_subscriber = must(node_of_dying.subscriber(root.uri()));
      joined.give();
      return never_given.await();
    });
    ASSERT_TRUE(joined.await());
    ASSERT_TRUE(announced_event(subscriber));
    ASSERT_TRUE(announced_event(publisher));
    quiet(subscriber);
    quiet(publisher);
    kill(dying.pid(), SIGKILL);
    const auto publisher_died = announced_event(subscriber);
    const auto subscriber_died = announced_event(publisher);
    dying.kill_and_reap();
    ASSERT_TRUE(publisher_died && subscriber_died) << "nobody told, in round " << round;
    EXPECT_EQ(publisher_died->change, Change::died);
    EXPECT_EQ(subscriber_died->change, Change::died);
  }
}

// Who observes has forked a child that lives on, and has all of its descriptors too.
TEST(DeathsSeenByTheParentOfAChild, KeepNoDescriptorReadable) {
  const TopicRoot root;
  Node node = must(Node::open());
  Subscriber subscriber = must(node.subscriber(root.uri()));
  quiet(subscriber);
  Signal joined;
  Signal never_given;
  Child dying([&] {
    const Publisher publisher = must(must(Node::open()).publisher(root.uri()));
    joined.give();
    return never_given.await();
  });
  ASSERT_TRUE(joined.await());
  ASSERT_TRUE(announced_event(subscriber));
  quiet(subscriber);
  Signal end_of_test;
  Child living([&] { return end_of_test.await(); });
  dying.kill_and_reap();
  const auto died = announced_event(subscriber);
  ASSERT_TRUE(died) << "nobody told";
  EXPECT_EQ(died->change, Change::died);
  for (int look = 0; look < 3; ++look) {
    EXPECT_FALSE(must(subscriber.next_event()));
    EXPECT_FALSE(must(subscriber.take()));
  }
  EXPECT_FALSE(is_readable(must(subscriber.fd()), 0));
  end_of_test.give();
  EXPECT_TRUE(living.succeeded());
}

TEST(FirstEvents, AreJoinedForEverybodyWhoIsThereInEitherOrderOfJoining) {
  for (const bool publisher_first : {true, false}) {
    const TopicRoot root;
    Node node = must(Node::open());
    std::optional<Publisher> publisher;
    if (publisher_first) {
      publisher.emplace(must(node.publisher(root.uri())));
    }
    Subscriber subscriber = must(node.subscriber(root.uri()));
    if (!publisher_first) {
      publisher.emplace(must(node.publisher(root.uri())));
    }
    const auto about_publisher = must(subscriber.next_event());
    ASSERT_TRUE(about_publisher);
    EXPECT_EQ(about_publisher->peer.id, publisher->id());
    const auto about_subscriber = must(publisher->next_event());
    ASSERT_TRUE(about_subscriber);
    EXPECT_EQ(about_subscriber->peer.id, subscriber.id());
    EXPECT_EQ(about_subscriber->change, Change::joined);
    EXPECT_FALSE(must(publisher->next_event()));
  }
}

}  // namespace
}  // namespace weir::shm::testing
