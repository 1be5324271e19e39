// CLEAN: in whatever state the last user of a topic ends, and in whatever way, the next user of the root finds no
// trace.
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/crash/come_and_go.h"
#include "conformance/crash/ending.h"
#include "conformance/harness/fixture.h"

namespace weir::conformance {

using Cleanup = ConformanceTest;
using namespace std::chrono_literals;

namespace {

// The size of messages of which hundreds do not fit into what the kernel and a framework buffer on the way, where
// `depth` is a lower bound.
constexpr std::uint64_t beyond_buffers = 20'000;

struct State {
  std::string_view name;
  // What it needs; null: nothing.
  const Feature* feature;
  // Brings a peer into the state on a topic that nobody else uses.
  void (*enter)(ScriptedPeer& user, const std::string& topic);
};

// States in which a peer answers, so that it can also end properly.
constexpr std::array<State, 6> quiet_states{{
    {"idle", nullptr,
     [](ScriptedPeer& user, const std::string& topic) {
       user.publisher(topic);
       user.subscriber(topic);
     }},
    {"with loans of many sizes open", nullptr,
     [](ScriptedPeer& user, const std::string& topic) {
       auto publisher = user.publisher(topic);
       for (const std::uint64_t size : {0U, 100U, 10'000U, 1'000'000U}) {
         const Outcome lent = publisher.try_lend(2, {.size = size});
         EXPECT_TRUE(lent) << to_string(lent);
       }
     }},
    {"with samples unread and in hand", nullptr,
     [](ScriptedPeer& user, const std::string& topic) {
       auto subscriber = user.subscriber(topic);
       auto publisher = user.publisher(topic);
       publisher.wait_for_subscribers(1);
       publisher.publish({.count = 10, .size = 0, .size_most = 500'000});
       EXPECT_EQ(subscriber.hold(5), 5U);
     }},
    {"with samples in hand of closed handles", nullptr,
     [](ScriptedPeer& user, const std::string& topic) {
       auto subscriber = user.subscriber(topic);
       auto publisher = user.publisher(topic);
       publisher.wait_for_subscribers(1);
       publisher.publish({.count = 5, .size = 10'000});
       EXPECT_EQ(subscriber.hold(3), 3U);
       publisher.close();
       subscriber.close_but_keep();
     }},
    {"with descriptors in use", nullptr,
     [](ScriptedPeer& user, const std::string& topic) {
       auto subscriber = user.subscriber(topic);
       auto publisher = user.publisher(topic);
       publisher.wait_for_subscribers(1);
       static_cast<void>(publisher.readable());
       static_cast<void>(subscriber.readable());
       publisher.publish();
       EXPECT_TRUE(subscriber.readable());
     }},
    {"held back", &feature::lossless_reject,
     [](ScriptedPeer& user, const std::string& topic) {
       user.subscriber(topic + "&policy=lossless");
       auto publisher = user.publisher(topic + "&grant=reject");
       publisher.wait_for_subscribers(1);
       publisher.publish({.count = 1000, .size = beyond_buffers, .when = When::held_back_end});
     }},
}};

// States in which it only can be killed.
constexpr std::array<State, 5> busy_states{{
    {"publishing", nullptr,
     [](ScriptedPeer& user, const std::string& topic) {
       user.subscriber(topic);
       user.publisher(topic).begin_publish({.count = endless, .size = 0, .size_most = 100'000, .quiet = true});
       user.wait_for_publishes(10);
     }},
    {"blocked in publish", &feature::lossless_block,
     [](ScriptedPeer& user, const std::string& topic) {
       user.subscriber(topic + "&policy=lossless");
       auto publisher = user.publisher(topic + "&grant=block");
       publisher.wait_for_subscribers(1);
       publisher.begin_publish({.count = 1000, .size = beyond_buffers, .patience = Patience::unbounded()});
       user.wait_until_blocked();
     }},
    {"asleep in wait", nullptr,
     [](ScriptedPeer& user, const std::string& topic) {
       user.publisher(topic);
       user.subscriber(topic).begin_wait(Patience::unbounded());
       user.wait_until_blocked();
     }},
    {"asleep on its descriptor", nullptr,
     [](ScriptedPeer& user, const std::string& topic) {
       auto subscriber = user.subscriber(topic);
       user.begin({.operation = Operation::poll, .port = subscriber.number(), .patience = Patience::unbounded()});
       user.wait_until_blocked();
     }},
    {"waiting for subscribers", &feature::counts_subscribers,
     [](ScriptedPeer& user, const std::string& topic) {
       const auto publisher = user.publisher(topic);
       user.begin({.operation = Operation::wait_for_subscribers,
                   .port = publisher.number(),
                   .count = 3,
                   .patience = Patience::unbounded()});
       user.wait_until_blocked();
     }},
}};

}  // namespace

CONFORMANCE_TEST(Cleanup, AUserThatEndsLeavesNoTraceWhateverItHad, "CLEAN-1") {
  NEEDS(processes);
  for (const State& state : quiet_states) {
    if (state.feature != nullptr && !has(*state.feature)) continue;
    for (const End end : ends) {
      ScriptedPeer& user = peer(fmt::format("user {}, that {}", state.name, to_string(end)));
      state.enter(user, fresh_uri("depth=16"));
      bring_to_end(user, end);
      EXPECT_EQ(entries_after_visit(), entries_of_nobody())
          << "after one that was " << state.name << " and " << to_string(end);
    }
  }
}

CONFORMANCE_TEST(Cleanup, AUserKilledAtWorkOrAsleepLeavesNoTrace, "CLEAN-1") {
  NEEDS(processes);
  for (const State& state : busy_states) {
    if (state.feature != nullptr && !has(*state.feature)) continue;
    for (const End end : {End::is_killed, End::is_killed_as_child}) {
      ScriptedPeer& user = peer(fmt::format("user {}, that {}", state.name, to_string(end)));
      state.enter(user, fresh_uri("depth=16"));
      bring_to_end(user, end);
      EXPECT_EQ(entries_after_visit(), entries_of_nobody())
          << "after one that was " << state.name << " and " << to_string(end);
    }
  }
}

CONFORMANCE_TEST(Cleanup, AUserKilledWhileItJoinsOrLeavesLeavesNoTrace, "CLEAN-1") {
  NEEDS(processes);
  Chance chance;
  const int count = chosen_rounds(60);
  for (int round = 0; round < count; ++round) {
    ScriptedPeer& user = peer(fmt::format("user {}", round));
    user.begin_run("come_and_go", fresh_uri());
    user.wait_for_events(1 + chance.below(8));
    chance.let_pass(400us);
    user.kill();
    EXPECT_EQ(entries_after_visit(), entries_of_nobody()) << "in round " << round;
  }
}

CONFORMANCE_TEST(Cleanup, TheLastOfManyLeavesNoTraceInWhateverOrderTheyEnd, "CLEAN-1") {
  NEEDS(processes);
  Chance chance;
  const int count = chosen_rounds(15);
  for (int round = 0; round < count; ++round) {
    const std::string topic = fresh_uri("depth=32&held=32");
    std::vector<ScriptedPeer*> users;
    std::vector<RemoteSubscriber> subscribers;
    for (int number = 0; number < 4; ++number) {
      users.push_back(&peer(fmt::format("user {} of round {}", number, round)));
      if (number % 2 == 0) subscribers.push_back(users.back()->subscriber(topic));
    }
    for (const int number : {1, 2, 3}) {
      auto publisher = users[static_cast<std::size_t>(number)]->publisher(topic);
      publisher.wait_for_subscribers(has(feature::counts_subscribers) ? 2 : 1);
      publisher.publish({.count = 10, .size = 0, .size_most = 50'000});
    }
    for (const RemoteSubscriber& subscriber : subscribers) subscriber.hold(chance.below(20));
    while (!users.empty()) {
      const auto next = users.begin() + static_cast<std::ptrdiff_t>(chance.below(users.size()));
      bring_to_end(**next, ends.at(chance.below(ends.size())));
      users.erase(next);
    }
    EXPECT_EQ(entries_after_visit(), entries_of_nobody()) << "in round " << round;
  }
}

}  // namespace weir::conformance
