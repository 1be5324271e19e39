// Publishers that are gone, in whatever way, before everybody has read what they sent.
#include <signal.h>

#include <array>
#include <vector>

#include "transport/shm/test_topic.h"

namespace weir::shm::testing {
namespace {

constexpr std::array<std::size_t, 6> mixed_sizes{0, 64, 700, 5'000, 70'000, 1'000'000};

void publish_mixed(Publisher& publisher) {
  for (const std::size_t size : mixed_sizes) {
    must(send(publisher, size, size));
  }
}

// All of publish_mixed, in order, once.
void expect_mixed(Subscriber& subscriber, std::uint64_t first_sequence = 0) {
  for (std::size_t index = 0; index < mixed_sizes.size(); ++index) {
    const Sample sample = must(subscriber.take());
    ASSERT_TRUE(sample) << "message " << index << " did not arrive";
    EXPECT_EQ(sample.sequence(), first_sequence + index);
    EXPECT_EQ(sample.lost_before(), 0U);
    EXPECT_EQ(sample.payload().size(), mixed_sizes[index]);
    EXPECT_TRUE(is_filled(sample.payload(), mixed_sizes[index]));
  }
  EXPECT_FALSE(must(subscriber.take())) << "something came twice";
}

enum class End { leaves, is_killed };

class EndedPublishers : public ::testing::TestWithParam<End> {
 protected:
  // A publisher in a process of its own that sends all sizes, after `subscribers` have joined, and comes to its end.
  void publish_and_end(std::uint64_t subscribers) {
    Signal published;
    Signal never_given;
    Child child([&] {
      Node node = must(Node::open());
      Publisher publisher = must(node.publisher(root_.uri()));
      must(publisher.wait_for_subscribers(subscribers, after(std::chrono::minutes(1))));
      publish_mixed(publisher);
      published.give();
      return GetParam() == End::leaves || never_given.await();
    });
    ASSERT_TRUE(published.await());
    if (GetParam() == End::leaves) {
      EXPECT_TRUE(child.succeeded());
    } else {
      child.kill_and_reap();
    }
  }

  [[nodiscard]] bool publisher_files_are_gone() const {
    for (const std::string& name : root_.files()) {
      if (name.starts_with("p.")) {
        return false;
      }
    }
    return true;
  }

  const TopicRoot root_;            // NOLINT: for the bodies of the tests
  Node node_ = must(Node::open());  // NOLINT
};

TEST_P(EndedPublishers, AllThatWasSentArrivesAndTheirFilesGoWhileTheSubscriberStays) {
  Subscriber subscriber = must(node_.subscriber(root_.uri()));
  publish_and_end(1);
  EXPECT_FALSE(publisher_files_are_gone());
  expect_mixed(subscriber);
  EXPECT_TRUE(publisher_files_are_gone());
}

TEST_P(EndedPublishers, WhatTheyHadSentBeforeTheSubscriberFirstLookedArrives) {
  Subscriber subscriber = must(node_.subscriber(root_.uri()));
  publish_and_end(1);
  // Others join and leave, and sweep as they do.
  for (int round = 0; round < 3; ++round) {
    static_cast<void>(must(node_.subscriber(root_.uri())));
    static_cast<void>(must(node_.publisher(root_.uri())));
    must(node_.topics(root_.backend_uri()));
  }
  expect_mixed(subscriber);
  EXPECT_TRUE(publisher_files_are_gone());
}

TEST_P(EndedPublishers, AreNotReadAgainWhileAnotherStillReadsThem) {
  Subscriber quick = must(node_.subscriber(root_.uri()));
  Subscriber slow = must(node_.subscriber(root_.uri()));
  publish_and_end(2);
  ASSERT_TRUE(must(slow.take()));
  expect_mixed(quick);
  {
    Subscriber newcomer = must(node_.subscriber(root_.uri()));  // everybody lists again
    EXPECT_EQ(drain(quick), 0U) << "samples came twice";
    EXPECT_EQ(drain(newcomer), 0U) << "a newcomer is owed nothing of the dead";
  }
  EXPECT_EQ(drain(quick), 0U) << "samples came twice";
  EXPECT_EQ(drain(slow), mixed_sizes.size() - 1);
  EXPECT_TRUE(publisher_files_are_gone());
}

TEST_P(EndedPublishers, AreNotReadAgainWhileAnotherHasNotLookedYet) {
  Subscriber quick = must(node_.subscriber(root_.uri()));
  Subscriber blind = must(node_.subscriber(root_.uri()));
  publish_and_end(2);
  expect_mixed(quick);
  static_cast<void>(must(node_.subscriber(root_.uri())));
  EXPECT_EQ(drain(quick), 0U) << "samples came twice";
  expect_mixed(blind);
  EXPECT_TRUE(publisher_files_are_gone());
}

TEST_P(EndedPublishers, SamplesInHandOutliveThemAndTheirFiles) {
  std::vector<Sample> held;
  {
    Subscriber subscriber = must(node_.subscriber(root_.uri()));
    publish_and_end(1);
    for (std::size_t count = 0; count < mixed_sizes.size(); ++count) {
      held.push_back(must(subscriber.take()));
    }
    EXPECT_FALSE(must(subscriber.take()));
    EXPECT_TRUE(publisher_files_are_gone());
  }
  for (std::size_t index = 0; index < mixed_sizes.size(); ++index) {
    EXPECT_TRUE(is_filled(held[index].payload(), mixed_sizes[index]));
  }
}

TEST_P(EndedPublishers, UnreadSamplesGoWithTheSubscriberThatWasOwedThem) {
  {
    Subscriber subscriber = must(node_.subscriber(root_.uri()));
    publish_and_end(1);
    ASSERT_TRUE(must(subscriber.take()));
  }
  root_.expect_nothing_left();
}

INSTANTIATE_TEST_SUITE_P(Ends, EndedPublishers, ::testing::Values(End::leaves, End::is_killed),
                         [](const ::testing::TestParamInfo<End>& end) {
                           return end.param == End::leaves ? "Leaves" : "IsKilled";
                         });

TEST(StoppedPublisher, IsNotTakenForDead) {
  const TopicRoot root;
  Node node = must(Node::open());
  Subscriber subscriber = must(node.subscriber(root.uri()));
  Signal published;
  Signal carry_on;
  Child child([&] {
    Node own = must(Node::open());
    Publisher publisher = must(own.publisher(root.uri()));
    must(publisher.wait_for_subscribers(1, after(std::chrono::minutes(1))));
    publish_mixed(publisher);
    published.give();
    const bool good = carry_on.await();
    publish_mixed(publisher);
    published.give();
    return good;
  });
  ASSERT_TRUE(published.await());
  ASSERT_EQ(kill(child.pid(), SIGSTOP), 0);
  expect_mixed(subscriber);
  // Two slices of its wait, in which it looks at the locks.
  EXPECT_EQ(must(subscriber.wait(after(std::chrono::milliseconds(250)))), Wake::deadline);
  for (int round = 0; round < 3; ++round) {
    static_cast<void>(must(node.subscriber(root.uri())));
    must(node.topics(root.backend_uri()));
  }
  const std::vector<Peer> peers = must(subscriber.peers());
  ASSERT_EQ(peers.size(), 1U);
  EXPECT_TRUE(peers.front().alive);
  carry_on.give();
  ASSERT_EQ(kill(child.pid(), SIGCONT), 0);
  ASSERT_TRUE(published.await());
  expect_mixed(subscriber, mixed_sizes.size());
  EXPECT_TRUE(child.succeeded());
}

TEST(DurablePublisherThatComesBack, LeavesASampleAloneThatOutlivesItsSubscriber) {
  constexpr std::size_t size = 100'000;
  const TopicRoot root;
  const std::string keeper = root.uri("memory=8MiB&durability=persistent&name=keeper");
  Node node = must(Node::open());
  Sample held;
  {
    Subscriber subscriber = must(node.subscriber(root.uri()));
    ASSERT_EQ(must(subscriber.next_event()), std::nullopt);
    Signal published;
    Signal never_given;
    Child child([&] {
      Node own = must(Node::open());
      Publisher publisher = must(own.publisher(keeper));
      must(send(publisher, size, 1));
      published.give();
      return never_given.await();
    });
    ASSERT_TRUE(published.await());
    held = next_sample(subscriber);
    child.kill_and_reap();
    for (Change seen = Change::joined; seen != Change::died;) {
      if (const auto event = must(subscriber.next_event())) {
        seen = event->change;
      } else {
        ASSERT_TRUE(is_readable(must(subscriber.fd()), 60'000));
      }
    }
  }
  {
    Publisher again = must(node.publisher(keeper));
    for (std::uint64_t message = 0; message < 300; ++message) {
      must(send(again, size, 2));
    }
    EXPECT_TRUE(is_filled(held.payload(), 1));
  }
  held = Sample();
  must(node.remove(root.uri()));
}

}  // namespace
}  // namespace weir::shm::testing
