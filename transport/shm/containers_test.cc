// Containers that share a root: processes in PID and mount namespaces of their own, each of which is number 1 there and
// sees the root at a path of its own. They exchange messages as if there were none, and nobody is taken for dead, or
// for alive, for the sake of a process number.
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <functional>

#include "transport/shm/test_topic.h"

namespace weir::shm::testing {
namespace {

constexpr std::uint64_t batch = 5;

// What runs in a container: gets the URI that leads to the topic from inside, and a call that lasts until it is killed.
using Body = std::function<void(const std::string& uri, const std::function<void()>& stay)>;

class Container {
 public:
  Container(const TopicRoot& root, const Body& body)
      : child_([&root, &body, this] {
          enter_private_mounts();
          require(unshare(CLONE_NEWPID) == 0, "PID namespaces are forbidden on this machine");
          require(mount(root.path().c_str(), inside_.path().c_str(), nullptr, MS_BIND, nullptr) == 0, "mounting");
          Child first([&] {
            EXPECT_EQ(getpid(), 1);
            body("shm://camera/front?root=" + inside_.path(), [this] { end_.await(); });
            return true;
          });
          return first.succeeded();
        }) {}

  void kill() { child_.kill_and_reap(); }  // the first process dies with it, some moments later

 private:
  TemporaryRoot inside_;
  Signal end_;  // never given
  Child child_;
};

// The next membership event, with a watchdog of a minute.
template <class Handle>
MembershipEvent next_event(Handle& handle) {
  pollfd ready{.fd = must(handle.fd()), .events = POLLIN, .revents = 0};
  while (true) {
    if (const std::optional<MembershipEvent> event = must(handle.next_event())) {
      return *event;
    }
    if (poll(&ready, 1, 60'000) != 1) {
      throw std::runtime_error("no event came");
    }
  }
}

TEST(Containers, SubscriberOutsideReceivesAllOfAPublisherInsideThatIsKilledAndLearnsOfItsDeath) {
  const TopicRoot root;
  Node node = must(Node::open());
  Subscriber subscriber = must(node.subscriber(root.uri("policy=lossless&depth=16")));
  static_cast<void>(must(subscriber.next_event()));
  Signal published;
  Container container(root, [&](const std::string& uri, const auto& stay) {
    Node inside = must(Node::open());
    Publisher publisher = must(inside.publisher(uri + "&grant=block&depth=16"));
    must(publisher.wait_for_subscribers(1, after(std::chrono::minutes(1))));
    for (std::uint64_t round = 0; round < batch; ++round) {
      must(send(publisher, 1000, round));
    }
    published.give();
    stay();
  });
  ASSERT_TRUE(published.await());
  EXPECT_EQ(next_event(subscriber).change, Change::joined);
  container.kill();
  EXPECT_EQ(next_event(subscriber).change, Change::died);
  for (std::uint64_t round = 0; round < batch; ++round) {
    const Sample sample = next_sample(subscriber);
    EXPECT_EQ(sample.lost_before(), 0U);
    EXPECT_TRUE(is_filled(sample.payload(), round));
  }
}

TEST(Containers, OfWhichEachIsNumberOneExchangeMessagesAndTheDeathOfOneIsThatOfNoOther) {
  const TopicRoot root;
  Signal to_victim;
  Signal to_survivor;
  const auto subscribe = [](const Signal& received) -> Body {
    return [&received](const std::string& uri, const auto& /*stay*/) {
      Node inside = must(Node::open());
      Subscriber subscriber = must(inside.subscriber(uri + "&policy=lossless&depth=2"));
      received.give();  // that it has joined; after that, each message
      while (true) {
        const Sample sample = next_sample(subscriber);
        EXPECT_TRUE(is_filled(sample.payload(), sample.sequence()));
        received.give();
      }
    };
  };
  Node node = must(Node::open());
  Publisher publisher = must(node.publisher(root.uri("grant=block&depth=2")));
  Container victim(root, subscribe(to_victim));
  ASSERT_TRUE(to_victim.await());
  Container survivor(root, subscribe(to_survivor));
  ASSERT_TRUE(to_survivor.await());
  EXPECT_EQ(next_event(publisher).change, Change::joined);
  EXPECT_EQ(next_event(publisher).change, Change::joined);
  for (std::uint64_t round = 0; round < batch; ++round) {
    must(send(publisher, 1000, round));
    ASSERT_TRUE(to_victim.await());
    ASSERT_TRUE(to_survivor.await());
  }
  victim.kill();
  const MembershipEvent death = next_event(publisher);
  EXPECT_EQ(death.change, Change::died);
  EXPECT_EQ(must(publisher.peers()).size(), 1U);
  // The dead one holds nobody back, the living one still does, and receives.
  for (std::uint64_t round = batch; round < 3 * batch; ++round) {
    must(send(publisher, 1000, round));
    ASSERT_TRUE(to_survivor.await());
  }
  survivor.kill();
  EXPECT_EQ(next_event(publisher).change, Change::died);
}

TEST(Containers, DurablePublisherGoesOnInAnotherContainer) {
  const TopicRoot root;
  Node node = must(Node::open());
  Subscriber witness = must(node.subscriber(root.uri("policy=lossless&depth=16")));
  static_cast<void>(must(witness.next_event()));
  for (std::uint64_t generation = 0; generation < 3; ++generation) {
    Signal published;
    Container container(root, [&](const std::string& uri, const auto& stay) {
      Node inside = must(Node::open());
      Publisher publisher = must(inside.publisher(uri + "&grant=block&depth=16&durability=persistent&name=keeper"));
      EXPECT_EQ(publisher.next_sequence(), generation * batch);
      must(publisher.wait_for_subscribers(1, after(std::chrono::minutes(1))));
      for (std::uint64_t round = 0; round < batch; ++round) {
        must(send(publisher, 1000, publisher.next_sequence()));
      }
      published.give();
      stay();
    });
    ASSERT_TRUE(published.await());
    EXPECT_EQ(next_event(witness).change, Change::joined);
    container.kill();
    EXPECT_EQ(next_event(witness).change, Change::died);
    for (std::uint64_t round = 0; round < batch; ++round) {
      const Sample sample = next_sample(witness);
      EXPECT_EQ(sample.sequence(), generation * batch + round);
      EXPECT_TRUE(is_filled(sample.payload(), sample.sequence()));
    }
  }
  { const Subscriber last = std::move(witness); }
  must(node.remove(root.uri()));
}

}  // namespace
}  // namespace weir::shm::testing
