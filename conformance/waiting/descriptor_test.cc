// WAIT: the descriptors for event loops.
#include <poll.h>

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/harness/fixture.h"

namespace weir::conformance {

using Waiting = ConformanceTest;
using namespace std::chrono_literals;

namespace {

bool readable_now(int descriptor) {
  pollfd polled{descriptor, POLLIN, 0};
  return ::poll(&polled, 1, 0) > 0;
}

}  // namespace

CONFORMANCE_TEST(Waiting, TheDescriptorIsReadableAsLongAsThereIsSomething, "WAIT-10") {
  const std::string topic = uri("topic", "depth=8");
  auto subscriber = peer("sink").subscriber(topic);
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(1);
  for (int round = 0; round < 5; ++round) {
    publisher.publish({.count = 3});
    EXPECT_TRUE(subscriber.readable());
    EXPECT_TRUE(subscriber.readable()) << "it is level-triggered";
    subscriber.take(2);
    EXPECT_TRUE(subscriber.readable()) << "one sample is left";
    subscriber.take_all();
  }
}

CONFORMANCE_TEST(Waiting, TheDescriptorClearsWhenTakeComesBackEmpty, "WAIT-11") {
  const std::string topic = uri("topic", "depth=8");
  auto subscriber = peer("sink").subscriber(topic);
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(1);
  const bool events = capabilities().membership == MembershipView::full;
  for (std::uint64_t round = 0; round < 5; ++round) {
    publisher.publish({.count = round});
    EXPECT_EQ(subscriber.readable() || round == 0, true);
    subscriber.take_all();
    if (events) subscriber.next_events();
    EXPECT_FALSE(subscriber.readable()) << "in round " << round;
  }
  // What comes after it was seen unreadable makes it readable again, also for one who sleeps on it.
  publisher.publish();
  EXPECT_TRUE(subscriber.readable());
}

CONFORMANCE_TEST(Waiting, ADescriptorAskedForLateShowsWhatIsThereAlready, "WAIT-10") {
  const std::string topic = uri("topic", "depth=8");
  Subscriber subscriber = this->subscriber(topic);
  Publisher publisher = this->publisher(topic);
  ASSERT_TRUE(publisher.wait_for_subscribers(1, never));
  must(publisher.send({}), "send");
  const int descriptor = must(subscriber.fd(), "fd");
  EXPECT_TRUE(readable_now(descriptor));
  EXPECT_EQ(must(subscriber.fd(), "fd"), descriptor) << "it is one descriptor for life";
}

CONFORMANCE_TEST(Waiting, AWaitOnTheDescriptorEndsWhenASampleComes, "WAIT-12") {
  const std::string topic = uri("topic");
  ScriptedPeer& sink = peer("sink");
  auto subscriber = sink.subscriber(topic);
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(1);
  for (const WaitMethod waiting : {WaitMethod::poll, WaitMethod::wait_set}) {
    for (std::uint64_t round = 1; round <= 20; ++round) {
      const std::uint64_t next = publisher.events(EventKind::published).size() + 1;
      subscriber.begin_receive({.next = next, .waiting = waiting});
      publisher.publish();
      EXPECT_EQ(sink.finish_well(), 1U);
    }
  }
}

CONFORMANCE_TEST(Waiting, ThePublishersDescriptorShowsFreedSpace, "WAIT-13") {
  NEEDS(lossless_reject);
  const std::string topic = uri("topic", "policy=lossless&grant=reject&depth=2");
  auto subscriber = peer("sink").subscriber(topic);
  ScriptedPeer& source = peer("source");
  auto publisher = source.publisher(topic);
  publisher.wait_for_subscribers(1);
  // Where buffers of a framework's own stand between, one sample taken need not be one place free.
  const std::uint64_t some = has(feature::exact_depth) ? 1 : endless;
  for (int round = 0; round < 10; ++round) {
    publisher.publish({.count = 100'000, .when = When::held_back_end});
    if (has(feature::full_membership)) publisher.next_events();
    EXPECT_FALSE(publisher.readable()) << "held back, in round " << round;
    source.begin({.operation = Operation::poll, .port = publisher.number(), .patience = Patience::unbounded()});
    subscriber.take(some);
    EXPECT_EQ(source.finish_well(), 1U);
  }
}

CONFORMANCE_TEST(Waiting, TheDescriptorShowsMembershipEvents, "WAIT-14") {
  NEEDS(full_membership);
  const std::string topic = uri("topic");
  ScriptedPeer& watcher = peer("watcher");
  ScriptedPeer& other = peer("other");
  auto publisher = watcher.publisher(topic);
  auto subscriber = watcher.subscriber(topic);
  for (const RemotePort& watched : {static_cast<RemotePort>(publisher), static_cast<RemotePort>(subscriber)}) {
    watched.next_events();
    EXPECT_FALSE(watched.readable());
    for (int round = 0; round < 3; ++round) {
      auto joiner_out = other.publisher(topic);
      auto joiner_in = other.subscriber(topic);
      EXPECT_TRUE(watched.readable(Patience::unbounded()));
      EXPECT_GE(watched.next_events(), 1U);
      EXPECT_FALSE(watched.readable());
      joiner_out.close();
      joiner_in.close();
      EXPECT_TRUE(watched.readable(Patience::unbounded()));
      EXPECT_GE(watched.next_events(), 1U);
      EXPECT_FALSE(watched.readable());
    }
  }
}

CONFORMANCE_TEST(Waiting, AWaitSetNamesWhoIsReady, "WAIT-15") {
  std::vector<Subscriber> subscribers;
  std::vector<Publisher> publishers;
  WaitSet set = must(WaitSet::create(), "wait set");
  constexpr std::uint64_t topics = 5;
  for (std::uint64_t at = 0; at < topics; ++at) {
    const std::string topic = uri(fmt::format("topic{}", at));
    subscribers.push_back(subscriber(topic));
    publishers.push_back(publisher(topic));
    ASSERT_TRUE(publishers.back().wait_for_subscribers(1, never));
    must(set.add(subscribers.back(), at), "add");
    while (has(feature::full_membership) && must(subscribers.back().next_event(), "next_event")) {
    }
  }
  for (std::uint64_t round = 0; round < 20; ++round) {
    const std::uint64_t first = round % topics;
    const std::uint64_t second = (round * 3 + 1) % topics;
    must(publishers[first].send({}), "send");
    must(publishers[second].send({}), "send");
    std::set<std::uint64_t> seen;
    while (!(seen.contains(first) && seen.contains(second))) {
      const WaitSet::Ready ready = must(set.wait(never), "wait");
      ASSERT_EQ(ready.wake, Wake::ready);
      for (const std::uint64_t tag : ready.tags) {
        ASSERT_LT(tag, topics);
        while (must(subscribers[tag].take(), "take")) seen.insert(tag);
      }
    }
    EXPECT_EQ(seen, (std::set<std::uint64_t>{first, second}));
  }
}

}  // namespace weir::conformance
