// CRASH: who waits for a publisher that is killed gets what was published, and does not hang.
#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/crash/ending.h"
#include "conformance/harness/fixture.h"
#include "conformance/harness/script.h"

namespace weir::conformance {

using Crash = ConformanceTest;
using namespace std::chrono_literals;

namespace {

// Takes what comes until the death of a publisher is an event. Argument: the port and how to wait; a wait, unlike a
// descriptor, does not end for an event, and so has deadlines.
Outcome follow(Actor& actor, const std::string& argument) {
  const std::size_t blank = argument.find(' ');
  const auto port = static_cast<std::uint16_t>(std::stoul(argument.substr(0, blank)));
  const bool by_descriptor = argument.substr(blank + 1) == "poll";
  const Request waiting = by_descriptor
                              ? Request{.operation = Operation::poll, .port = port, .patience = Patience::unbounded()}
                              : Request{.operation = Operation::wait, .port = port, .patience = 20ms};
  const std::size_t begin = actor.log().size();
  bool died = false;
  while (!died) {
    for (const Request& request : {waiting, Request{.operation = Operation::take, .port = port},
                                   Request{.operation = Operation::next_events, .port = port}}) {
      if (Outcome outcome = actor.perform(request); !outcome) return outcome;
    }
    died = !of_kind(actor.log().events(begin), EventKind::died).empty();
  }
  return actor.perform(
      {.operation = Operation::take, .port = port});  // what came before the death, after the take above
}
const Script follow_script("follow", follow);

}  // namespace

CONFORMANCE_TEST(Crash, WhoWaitsForAPublisherThatIsKilledReceivesWhatItPublishedAndLearnsOfItsDeath, "CRASH-14") {
  NEEDS(processes);
  NEEDS(survives_publisher);
  NEEDS(death_events);
  NEEDS(exact_loss);
  Chance chance;
  const int rounds = chosen_rounds(30);
  for (const std::string_view waiting : {"wait", "poll"}) {
    const std::string topic = fresh_uri("depth=128");
    ScriptedPeer& sink = peer(fmt::format("sink that uses {}", waiting));
    auto subscriber = sink.subscriber(topic);
    subscriber.next_events();  // from its first call on, all are told
    for (int round = 0; round < rounds; ++round) {
      ScriptedPeer& source = peer(fmt::format("source {} {}", waiting, round));
      auto publisher = source.publisher(topic);
      publisher.wait_for_subscribers(1);
      sink.begin_run("follow", fmt::format("{} {}", subscriber.number(), waiting));
      // One sample, many, or none at all.
      if (round % 3 == 0) publisher.publish();
      if (round % 3 == 1) publisher.begin_publish({.count = endless, .size = 0, .size_most = 3000, .quiet = true});
      if (round % 3 == 1) source.wait_for_publishes(chance.below(50));
      chance.let_pass(100us);
      source.kill();
      sink.finish_well();
      const auto taken = taken_from(subscriber.events(), publisher.id());
      const std::uint64_t end = taken.empty() ? 0 : taken.back().sequence + 1;
      EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, end));
      EXPECT_GE(end, source.progress().accepted) << "in round " << round << " by " << waiting;
      EXPECT_LE(end, source.progress().begun) << "in round " << round << " by " << waiting;
    }
    EXPECT_SOUND(check_sound(subscriber));
  }
}

CONFORMANCE_TEST(Crash, AWaitWhosePublisherIsKilledEndsAtItsDeadline, "CRASH-15") {
  NEEDS(processes);
  const std::string topic = uri("topic");
  ScriptedPeer& sink = peer("sink");
  auto subscriber = sink.subscriber(topic);
  for (const End death : deaths) {
    ScriptedPeer& source = peer(fmt::format("source that {}", to_string(death)));
    auto publisher = source.publisher(topic);
    publisher.wait_for_subscribers(1);
    subscriber.begin_wait(200ms);
    sink.wait_until_blocked();
    bring_to_end(source, death);
    const Outcome woke = sink.finish();
    EXPECT_TRUE(woke && woke.wake == Wake::deadline) << "its publisher " << to_string(death);
    const auto events = subscriber.events();
    const std::int64_t waited = events.at(events.size() - 1).time - events.at(events.size() - 2).time;
    EXPECT_GE(std::chrono::nanoseconds(waited), 200ms) << "its publisher " << to_string(death);
  }
}

CONFORMANCE_TEST(Crash, AWaitGoesOnWithTheNextPublisherAfterADeath, "CRASH-15") {
  NEEDS(processes);
  const std::string topic = uri("topic");
  ScriptedPeer& sink = peer("sink");
  auto subscriber = sink.subscriber(topic);
  for (const WaitMethod waiting : {WaitMethod::wait, WaitMethod::poll, WaitMethod::wait_set}) {
    for (std::uint64_t round = 0; round < 5; ++round) {
      ScriptedPeer& victim = peer("victim");
      auto dying = victim.publisher(topic);
      static_cast<void>(subscriber.readable());  // it may learn only by its own calls that a publisher has come
      dying.wait_for_subscribers(1);
      const std::uint64_t publishers = publishers_of(subscriber.events()).size() + 1;
      subscriber.begin_receive({.publishers = publishers, .waiting = waiting});
      victim.kill();
      ScriptedPeer& next = peer("next");
      auto successor = next.publisher(topic);
      successor.wait_for_subscribers(1);
      successor.publish();
      EXPECT_EQ(sink.finish_well(), 1U);
      next.kill();
    }
  }
  EXPECT_SOUND(check_sound(subscriber));
}

}  // namespace weir::conformance
