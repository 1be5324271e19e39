// A process that has no descriptor left: every call works, or says so, and no one is taken for dead or forgotten.
#include <poll.h>

#include <vector>

#include "transport/shm/test_topic.h"
#include "transport/wait_set.h"

namespace weir::shm::testing {
namespace {

// More descriptors than any one call needs.
constexpr int plenty = 16;

void expect_no_descriptor(const Error& error) {
  EXPECT_EQ(error.code(), ErrorCode::resource_exhausted) << error.message();
  EXPECT_NE(error.message().find("ulimit -n"), std::string::npos) << "names no remedy: " << error.message();
}

void expect_shortage_on_topic(const Error& error) {
  expect_no_descriptor(error);
  EXPECT_NE(error.message().find("\"camera/front\""), std::string::npos) << "names no topic: " << error.message();
}

class ScarceDescriptors : public ::testing::Test {
 protected:
  // Whether the peer that was joined with few descriptors left has all that a peer has.
  static void expect_full_member(Publisher& publisher, Subscriber& subscriber) {
    must(send(publisher, 64, 1));
    must(send(publisher, 5'000, 2));
    const Sample small = must(subscriber.take());
    ASSERT_TRUE(small) << "the newcomer was not found, or found nobody";
    EXPECT_TRUE(is_filled(small.payload(), 1));
    const Sample large = must(subscriber.take());
    ASSERT_TRUE(large);
    EXPECT_TRUE(is_filled(large.payload(), 2));
  }

  const TopicRoot root_;            // NOLINT: for the bodies of the tests
  Node node_ = must(Node::open());  // NOLINT
};

TEST_F(ScarceDescriptors, JoiningAsPublisherSucceedsInFullOrIsRefused) {
  Subscriber subscriber = must(node_.subscriber(root_.uri()));
  const std::vector<std::string> before = root_.files();
  int refused = 0;
  for (int left = 0; left < plenty; ++left) {
    SCOPED_TRACE(left);
    Result<Publisher> publisher = [&] {
      const DescriptorLimit limit(left);
      return node_.publisher(root_.uri());
    }();
    if (publisher) {
      expect_full_member(*publisher, subscriber);
    } else {
      ++refused;
      expect_shortage_on_topic(publisher.error());
      EXPECT_EQ(root_.files(), before) << "a refused join left something";
    }
  }
  EXPECT_GE(refused, 3);
  EXPECT_LT(refused, plenty);
}

TEST_F(ScarceDescriptors, JoiningAsSubscriberSucceedsInFullOrIsRefused) {
  Publisher publisher = must(node_.publisher(root_.uri()));
  must(send(publisher, 64, 0));
  const std::vector<std::string> before = root_.files();
  int refused = 0;
  for (int left = 0; left < plenty; ++left) {
    SCOPED_TRACE(left);
    Result<Subscriber> subscriber = [&] {
      const DescriptorLimit limit(left);
      return node_.subscriber(root_.uri());
    }();
    if (subscriber) {
      expect_full_member(publisher, *subscriber);
    } else {
      ++refused;
      expect_shortage_on_topic(subscriber.error());
      EXPECT_EQ(root_.files(), before) << "a refused join left something";
    }
  }
  EXPECT_GE(refused, 3);
  EXPECT_LT(refused, plenty);
}

TEST_F(ScarceDescriptors, DescriptorToWaitOnIsMadeInFullOrRefused) {
  Publisher publisher = must(node_.publisher(root_.uri()));
  for (int left = 0; left < plenty; ++left) {
    SCOPED_TRACE(left);
    Subscriber subscriber = must(node_.subscriber(root_.uri()));
    Result<int> descriptor = [&] {
      const DescriptorLimit limit(left);
      return subscriber.fd();
    }();
    if (!descriptor) {
      expect_shortage_on_topic(descriptor.error());
      descriptor = must(subscriber.fd());  // another try, with descriptors
    }
    drain(subscriber);
    must(send(publisher, 64, 0));
    pollfd ready{.fd = *descriptor, .events = POLLIN, .revents = 0};
    EXPECT_EQ(poll(&ready, 1, 60'000), 1);
    EXPECT_TRUE(must(subscriber.take()));
  }
}

TEST_F(ScarceDescriptors, WaitSetIsRefusedAndLaterWorks) {
  Publisher publisher = must(node_.publisher(root_.uri()));
  Subscriber subscriber = must(node_.subscriber(root_.uri()));
  {
    const DescriptorLimit limit(0);
    const Result<WaitSet> set = WaitSet::create();
    ASSERT_FALSE(set);
    expect_no_descriptor(set.error());
  }
  WaitSet set = must(WaitSet::create());
  {
    const DescriptorLimit limit(0);
    const Status added = set.add(subscriber, 1);
    ASSERT_FALSE(added);
    expect_shortage_on_topic(added.error());
  }
  must(set.add(subscriber, 1));
  must(send(publisher, 64, 0));
  EXPECT_EQ(must(set.wait(after(std::chrono::minutes(1)))).tags, std::vector<std::uint64_t>{1});
  must(set.remove(subscriber));
}

TEST_F(ScarceDescriptors, PublisherWithoutAnyOverwritesNothingThatANewcomerHolds) {
  constexpr std::uint64_t held_count = 8;
  Publisher publisher = must(node_.publisher(root_.uri("depth=8")));
  must(send(publisher, 64, 0));
  Subscriber subscriber = must(node_.subscriber(root_.uri("depth=8")));
  std::vector<Sample> held;
  for (std::uint64_t count = 0; count < held_count; ++count) {
    must(send(publisher, 64, 1 + count));
    held.push_back(must(subscriber.take()));
    ASSERT_TRUE(held.back());
  }
  {
    // It has not looked for subscribers yet. What it cannot know to be unpinned it must not use again.
    const DescriptorLimit limit(0);
    for (std::uint64_t round = 0; round < 1'000; ++round) {
      if (const Result<std::uint64_t> sequence = send(publisher, 64, ~round); !sequence) {
        expect_shortage_on_topic(sequence.error());
      }
    }
  }
  for (std::uint64_t round = 0; round < 1'000; ++round) {
    must(send(publisher, 64, ~round));
  }
  for (const Sample& sample : held) {
    EXPECT_TRUE(is_filled(sample.payload(), sample.sequence())) << sample.sequence();
  }
}

TEST_F(ScarceDescriptors, PublisherWithoutAnyWakesWhoWaitsOnADescriptorAsSoonAsItCan) {
  Publisher publisher = must(node_.publisher(root_.uri()));
  Subscriber subscriber = must(node_.subscriber(root_.uri()));
  pollfd ready{.fd = -1, .events = POLLIN, .revents = 0};
  must(publisher.wait_for_subscribers(1, after(std::chrono::minutes(1))));
  must(send(publisher, 64, 0));
  drain(subscriber);
  Subscriber newcomer = must(node_.subscriber(root_.uri()));
  ready.fd = must(newcomer.fd());
  while (poll(&ready, 1, 0) != 0) {
    drain(newcomer);
    while (must(newcomer.next_event())) {
    }
  }
  {
    const DescriptorLimit limit(0);
    must(send(publisher, 64, 0));
  }
  must(send(publisher, 64, 1));
  EXPECT_EQ(poll(&ready, 1, 1'000), 1) << "a lost wake-up";
  EXPECT_EQ(drain(newcomer), 2U);
}

TEST_F(ScarceDescriptors, SubscriberWithoutAnyWakesThePublisherItHeldBackAsSoonAsItCan) {
  Publisher publisher = must(node_.publisher(root_.uri("grant=reject")));
  Subscriber subscriber = must(node_.subscriber(root_.uri("policy=lossless"), {.depth = 1}));
  pollfd ready{.fd = must(publisher.fd()), .events = POLLIN, .revents = 0};
  must(send(publisher, 64, 0));
  ASSERT_FALSE(send(publisher, 64, 1));
  while (must(publisher.next_event())) {
  }
  ASSERT_EQ(poll(&ready, 1, 0), 0);
  {
    const DescriptorLimit limit(0);
    EXPECT_EQ(drain(subscriber), 1U);
    EXPECT_EQ(poll(&ready, 1, 0), 0) << "it had a descriptor after all";
  }
  EXPECT_EQ(drain(subscriber), 0U);
  EXPECT_EQ(poll(&ready, 1, 1'000), 1) << "a lost wake-up";
  must(send(publisher, 64, 1));
}

TEST_F(ScarceDescriptors, PublisherThatCouldNotListANewcomerShowsItUntilItCan) {
  Publisher publisher = must(node_.publisher(root_.uri()));
  const int descriptor = must(publisher.fd());
  while (must(publisher.next_event())) {
  }
  ASSERT_FALSE(is_readable(descriptor, 0));
  const Subscriber newcomer = must(node_.subscriber(root_.uri()));
  {
    const DescriptorLimit limit(0);
    const auto none = publisher.next_event();
    EXPECT_FALSE(none && *none) << "it had a descriptor after all";
  }
  EXPECT_TRUE(is_readable(descriptor, 0)) << "who waits on it learns nothing";
  const auto joined = must(publisher.next_event());
  ASSERT_TRUE(joined);
  EXPECT_EQ(joined->change, Change::joined);
}

TEST_F(ScarceDescriptors, PublisherThatJoinsWithFewTellsWhoWaitsOnADescriptorAsSoonAsItCan) {
  for (int left = 0; left < plenty; ++left) {
    SCOPED_TRACE(left);
    Subscriber subscriber = must(node_.subscriber(root_.uri()));
    const int descriptor = must(subscriber.fd());
    do {
      drain(subscriber);
      while (must(subscriber.next_event())) {
      }
    } while (is_readable(descriptor, 0));
    Result<Publisher> publisher = [&] {
      const DescriptorLimit limit(left);
      return node_.publisher(root_.uri());
    }();
    if (publisher) {
      must(publisher->peers());
      EXPECT_TRUE(is_readable(descriptor, 0)) << "it was told nothing";
      const auto joined = must(subscriber.next_event());
      ASSERT_TRUE(joined);
      EXPECT_EQ(joined->change, Change::joined);
    }
  }
}

TEST_F(ScarceDescriptors, PublisherWithoutAnyTakesNoLosslessSubscriberForDead) {
  constexpr std::uint64_t depth = 4;
  Publisher publisher = must(node_.publisher(root_.uri("grant=reject")));
  Subscriber subscriber = must(node_.subscriber(root_.uri("policy=lossless"), {.depth = depth}));
  for (std::uint64_t round = 0; round < depth; ++round) {
    must(send(publisher, 64, round));
  }
  {
    const DescriptorLimit limit(0);
    for (int round = 0; round < 100; ++round) {
      const Result<std::uint64_t> sequence = send(publisher, 64, 99);
      ASSERT_FALSE(sequence) << "a living lossless subscriber was passed over";
      EXPECT_EQ(sequence.error().code(), ErrorCode::back_pressure) << sequence.error().message();
    }
  }
  for (std::uint64_t round = 0; round < depth; ++round) {
    EXPECT_TRUE(is_filled(must(subscriber.take()).payload(), round));
  }
}

TEST_F(ScarceDescriptors, PeersAreNeverReportedDeadForWantOfADescriptor) {
  Publisher publisher = must(node_.publisher(root_.uri()));
  Subscriber subscriber = must(node_.subscriber(root_.uri()));
  while (must(publisher.next_event())) {
  }
  while (must(subscriber.next_event())) {
  }
  {
    const DescriptorLimit limit(0);
    const auto about_subscriber = publisher.next_event();
    EXPECT_FALSE(about_subscriber && *about_subscriber) << to_string((*about_subscriber)->change);
    const auto about_publisher = subscriber.next_event();
    EXPECT_FALSE(about_publisher && *about_publisher) << to_string((*about_publisher)->change);
  }
  EXPECT_EQ(must(publisher.peers()).size(), 1U);
  EXPECT_EQ(must(subscriber.peers()).size(), 1U);
  expect_full_member(publisher, subscriber);
}

TEST_F(ScarceDescriptors, SubscriberWithoutAnyLosesNoPublisherOldOrNew) {
  for (int left = 0; left < plenty; ++left) {
    SCOPED_TRACE(left);
    Publisher old = must(node_.publisher(root_.uri()));
    Subscriber subscriber = must(node_.subscriber(root_.uri()));
    Publisher young = must(node_.publisher(root_.uri()));  // which it has not seen yet
    must(send(old, 64, 1));
    must(send(young, 64, 1));
    std::uint64_t taken = 0;
    {
      const DescriptorLimit limit(left);
      for (int round = 0; round < 4; ++round) {
        const Result<Sample> sample = subscriber.take();
        if (!sample) {
          expect_shortage_on_topic(sample.error());
        } else if (*sample) {
          EXPECT_TRUE(is_filled(sample->payload(), 1));
          ++taken;
        }
      }
    }
    must(send(old, 64, 1));
    must(send(young, 64, 1));
    EXPECT_EQ(taken + drain(subscriber), 4U);
  }
}

}  // namespace
}  // namespace weir::shm::testing
