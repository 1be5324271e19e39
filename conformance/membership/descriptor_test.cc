// MEMBER: an event loop is told of joins, leaves and deaths by the descriptor, which is quiet otherwise.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/crash/come_and_go.h"
#include "conformance/crash/ending.h"
#include "conformance/harness/fixture.h"

namespace weir::conformance {

using Membership = ConformanceTest;

namespace {

// Fetches events whenever the descriptor is readable, and otherwise sleeps, until a number of peers have died.
// Argument: the port and that number.
Outcome watch_deaths(Actor& actor, const std::string& argument) {
  const auto port = static_cast<std::uint16_t>(std::stoul(argument));
  const std::uint64_t deaths_to_come = std::stoul(argument.substr(argument.find(' ')));
  const std::size_t begin = actor.log().size();
  while (of_kind(actor.log().events(begin), EventKind::died).size() < deaths_to_come) {
    for (const Request& request :
         {Request{.operation = Operation::poll, .port = port, .patience = Patience::unbounded()},
          Request{.operation = Operation::next_events, .port = port}}) {
      if (Outcome outcome = actor.perform(request); !outcome) return outcome;
    }
  }
  return {};
}
const Script watch_deaths_script("watch_deaths", watch_deaths);

// A publisher and a subscriber whose descriptors are in use, and quiet.
struct Watcher {
  RemotePublisher out;
  RemoteSubscriber in;

  Watcher(ScriptedPeer& peer, const std::string& topic) : out(peer.publisher(topic)), in(peer.subscriber(topic)) {
    expect("at the beginning");
  }

  // Becomes readable if events are due, and clears when they are fetched.
  void expect(const std::string& when, EventKind kind = EventKind::failed) const {
    for (const RemotePort& watched : {static_cast<RemotePort>(out), static_cast<RemotePort>(in)}) {
      const bool due = kind != EventKind::failed;
      EXPECT_TRUE(!due || watched.readable(Patience::unbounded())) << when;
      const std::size_t before = watched.events(kind).size();
      watched.next_events();
      EXPECT_TRUE(!due || watched.events(kind).size() > before) << when;
      EXPECT_TRUE(watched.number() != in.number() || in.take_all() == 0) << when;
      EXPECT_FALSE(watched.readable()) << when << ", after all was fetched";
    }
  }
};

}  // namespace

CONFORMANCE_TEST(Membership, TheDescriptorShowsJoinsLeavesAndDeathsAndClears, "MEMBER-9") {
  NEEDS(full_membership);
  const std::string topic = uri("topic");
  const Watcher watcher(peer("watcher"), topic);
  for (const End end : ends) {
    if (end != End::closes && (!has(feature::processes) || !has(feature::death_events))) continue;
    for (int round = 0; round < 3; ++round) {
      ScriptedPeer& other = peer(fmt::format("other {} that {}", round, to_string(end)));
      other.publisher(topic);
      other.subscriber(topic);
      watcher.expect("after a join", EventKind::joined);
      bring_to_end(other, end);
      watcher.expect(fmt::format("after one that {}", to_string(end)),
                     end == End::closes ? EventKind::left : EventKind::died);
    }
  }
}

CONFORMANCE_TEST(Membership, TheDescriptorIsQuietWhileSamplesOfOneThatLeftAreInHand, "MEMBER-9") {
  NEEDS(full_membership);
  const std::string topic = uri("topic", "depth=16");
  const Watcher watcher(peer("watcher"), topic);
  ScriptedPeer& other = peer("other");
  auto subscriber = other.subscriber(topic);
  watcher.out.wait_for_subscribers(2);
  watcher.out.publish({.count = 4});
  EXPECT_EQ(subscriber.hold(2), 2U);
  EXPECT_EQ(watcher.in.take_all(), 4U);
  watcher.out.next_events();
  EXPECT_FALSE(watcher.out.readable());
  subscriber.close_but_keep();
  EXPECT_TRUE(watcher.out.readable(Patience::unbounded()));
  EXPECT_EQ(watcher.out.next_events(), 1U);
  EXPECT_FALSE(watcher.out.readable()) << "an event loop would not sleep again until the samples are released";
  other.end();
  watcher.out.next_events();
  EXPECT_FALSE(watcher.out.readable());
}

CONFORMANCE_TEST(Membership, TheDescriptorIsQuietAboutOneThatCameAndDiedBetweenTwoLooks, "MEMBER-9") {
  NEEDS(processes);
  NEEDS(full_membership);
  const std::string topic = uri("topic");
  const Watcher watcher(peer("watcher"), topic);
  for (const End end : ends) {
    ScriptedPeer& other = peer(fmt::format("other that {}", to_string(end)));
    other.publisher(topic);
    other.subscriber(topic);
    bring_to_end(other, end);
    watcher.expect(fmt::format("after one that {}", to_string(end)));  // whether or not it was told of
  }
}

CONFORMANCE_TEST(Membership, ADescriptorAskedForAfterADeathShowsIt, "MEMBER-9") {
  NEEDS(processes);
  NEEDS(full_membership);
  NEEDS(death_events);
  const std::string topic = uri("topic");
  ScriptedPeer& watcher = peer("watcher");
  auto watching_out = watcher.publisher(topic);
  auto watching_in = watcher.subscriber(topic);
  ScriptedPeer& victim = peer("victim");
  const PeerId publisher = victim.publisher(topic).id();
  const PeerId subscriber = victim.subscriber(topic).id();
  watching_out.next_events();
  watching_in.next_events();
  victim.kill();
  // Only now an event loop begins.
  EXPECT_TRUE(watching_out.readable(Patience::unbounded()));
  EXPECT_TRUE(watching_in.readable(Patience::unbounded()));
  watching_out.next_events();
  watching_in.next_events();
  EXPECT_EQ(watching_out.last_event(EventKind::died).peer, subscriber);
  EXPECT_EQ(watching_in.last_event(EventKind::died).peer, publisher);
}

CONFORMANCE_TEST(Membership, NoDeathIsMissedByAnEventLoopWhileOthersComeAndGo, "MEMBER-9", "MEMBER-3") {
  NEEDS(processes);
  NEEDS(full_membership);
  NEEDS(death_events);
  const std::string topic = uri("topic");
  ScriptedPeer& out = peer("watching publisher");
  ScriptedPeer& in = peer("watching subscriber");
  auto watching_out = out.publisher(topic);
  auto watching_in = in.subscriber(topic);
  std::array<ScriptedPeer*, 2> others{&peer("other 1"), &peer("other 2")};
  for (ScriptedPeer* other : others) other->begin_run("come_and_go", topic);
  const auto wait_until_known = [](const ScriptedPeer& watcher, const RemotePort& watching, PeerId id) {
    while (true) {
      const std::uint64_t logged = watcher.log().size();
      const auto joined = watching.events(EventKind::joined);
      if (std::any_of(joined.begin(), joined.end(), [id](const Event& event) { return event.peer == id; })) return;
      watcher.wait_until_logged(logged + 1);
    }
  };
  for (int round = 0; round < 25; ++round) {
    out.begin_run("watch_deaths", fmt::format("{} 1", watching_out.number()));
    in.begin_run("watch_deaths", fmt::format("{} 1", watching_in.number()));
    ScriptedPeer& victim = peer(fmt::format("victim {}", round));
    const PeerId subscriber = victim.subscriber(topic).id();
    const PeerId publisher = victim.publisher(topic).id();
    // Who was told of the join must be told of the death.
    wait_until_known(out, watching_out, subscriber);
    wait_until_known(in, watching_in, publisher);
    victim.kill();
    out.finish_well();
    in.finish_well();
    EXPECT_EQ(watching_out.last_event(EventKind::died).peer, subscriber);
    EXPECT_EQ(watching_in.last_event(EventKind::died).peer, publisher);
  }
}

}  // namespace weir::conformance
