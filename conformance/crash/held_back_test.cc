// CRASH: the death of a lossless subscriber frees the publisher that it held back, at once, and nobody else's.
#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/crash/ending.h"
#include "conformance/harness/fixture.h"

namespace weir::conformance {

using Crash = ConformanceTest;
using std::chrono::steady_clock;

namespace {

// Larger than what the kernel and a framework buffer on the way, where `depth` is a lower bound.
constexpr std::uint64_t held_back_size = 20'000;

constexpr PublishScript until_held_back{.count = 1000, .size = held_back_size, .when = When::held_back_end};

// How long the blocked publisher was blocked after a moment.
std::chrono::nanoseconds freed_after(const RemotePublisher& publisher, steady_clock::time_point moment) {
  const auto published = publisher.events(EventKind::published);
  const auto first = std::find_if(published.begin(), published.end(),
                                  [&](const Event& event) { return event.time >= moment.time_since_epoch().count(); });
  if (first == published.end()) throw HarnessFailure("nothing was published after the death");
  return std::chrono::nanoseconds(first->time) - moment.time_since_epoch();
}

// For people: what is judged is that it happens at all.
void report(std::vector<std::chrono::nanoseconds> times) {
  std::sort(times.begin(), times.end());
  const auto milliseconds = [](std::chrono::nanoseconds time) { return static_cast<double>(time.count()) / 1e6; };
  const std::string text =
      fmt::format("{:.2f} ms at the median, {:.2f} ms at most, of {}", milliseconds(times.at(times.size() / 2)),
                  milliseconds(times.back()), times.size());
  fmt::print("from SIGKILL to the blocked publish: {}\n", text);
  ::testing::Test::RecordProperty("from_kill_to_publish", text);
}

}  // namespace

CONFORMANCE_TEST(Crash, TheDeathOfTheSlowestFreesABlockedPublisher, "CRASH-6") {
  NEEDS(processes);
  NEEDS(lossless_block);
  constexpr std::uint64_t count = 100;
  const std::string topic = uri("topic", "policy=lossless&grant=block&depth=4");
  ScriptedPeer& source = peer("source");
  auto publisher = source.publisher(topic);
  std::vector<std::chrono::nanoseconds> times;
  const int kills = chosen_rounds(8, static_cast<int>(deaths.size()));
  for (int round = 0; round < kills; ++round) {
    ScriptedPeer& victim = peer(fmt::format("victim {}", round));
    victim.subscriber(topic);
    publisher.wait_for_subscribers(1);
    publisher.begin_publish({.count = count, .size = held_back_size, .patience = Patience::unbounded()});
    source.wait_until_blocked();
    const auto moment = steady_clock::now();
    bring_to_end(victim, deaths.at(static_cast<std::size_t>(round) % deaths.size()));
    EXPECT_EQ(source.finish_well(), count);
    times.push_back(freed_after(publisher, moment));
  }
  report(times);
  EXPECT_SOUND(check_numbers(publisher.events()));
}

CONFORMANCE_TEST(Crash, TheFirstPublishAfterTheDeathIsNotRejected, "CRASH-6") {
  NEEDS(processes);
  NEEDS(lossless_reject);
  const std::string topic = uri("topic", "policy=lossless&grant=reject");
  auto publisher = peer("source").publisher(topic);
  for (const End death : deaths) {
    ScriptedPeer& victim = peer(fmt::format("victim that {}", to_string(death)));
    victim.subscriber(topic + "&depth=4");
    publisher.wait_for_subscribers(1);
    publisher.publish(until_held_back);
    EXPECT_TRUE(publisher.try_publish().is(ErrorCode::back_pressure));
    bring_to_end(victim, death);
    const Outcome published = publisher.try_publish({.count = 50});
    EXPECT_TRUE(published && published.value == 50U)
        << "its subscriber " << to_string(death) << ": " << to_string(published);
  }
  EXPECT_SOUND(check_numbers(publisher.events()));
}

CONFORMANCE_TEST(Crash, ARejectedPublisherThatWaitsIsWokenByTheDeath, "CRASH-6") {
  NEEDS(processes);
  NEEDS(lossless_reject);
  const std::string topic = uri("topic", "policy=lossless&grant=reject");
  ScriptedPeer& source = peer("source");
  auto publisher = source.publisher(topic);
  for (const End death : deaths) {
    for (const bool by_descriptor : {false, true}) {
      ScriptedPeer& victim = peer(fmt::format("victim that {}{}", to_string(death), by_descriptor ? ", polled" : ""));
      victim.subscriber(topic + "&depth=2");
      publisher.wait_for_subscribers(1);
      publisher.publish(until_held_back);
      if (by_descriptor) {
        if (has(feature::full_membership)) publisher.next_events();
        source.begin({.operation = Operation::poll, .port = publisher.number(), .patience = Patience::unbounded()});
      } else {
        publisher.begin_wait(Patience::unbounded());
      }
      source.wait_until_blocked();
      bring_to_end(victim, death);
      source.finish_well();
      const Outcome published = publisher.try_publish();
      EXPECT_TRUE(published) << to_string(published);
    }
  }
}

CONFORMANCE_TEST(Crash, TheDeathOfOneLosslessSubscriberLeavesTheHoldOfTheOthers, "CRASH-7") {
  NEEDS(processes);
  NEEDS(lossless_reject);
  NEEDS(counts_subscribers);
  NEEDS(exact_depth);
  const std::string topic = uri("topic", "policy=lossless&grant=reject");
  ScriptedPeer& victim = peer("victim");
  ScriptedPeer& second_victim = peer("second victim");
  victim.subscriber(topic + "&depth=3");
  second_victim.subscriber(topic + "&depth=5");
  auto living = peer("living").subscriber(topic + "&depth=9");
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(3);
  EXPECT_EQ(publisher.publish(until_held_back), 3U);
  victim.kill();
  EXPECT_EQ(publisher.publish(until_held_back), 2U) << "the one of depth 5 has 3 unread";
  second_victim.kill();
  EXPECT_EQ(publisher.publish(until_held_back), 4U) << "the one of depth 9 has 5 unread";
  EXPECT_EQ(publisher.publish(until_held_back), 0U);
  EXPECT_EQ(living.take(2), 2U);
  EXPECT_EQ(publisher.publish(until_held_back), 2U);
  living.take_all();
  EXPECT_SOUND(check_sound(living));
  EXPECT_SOUND(check_accepted(living.events(), publisher.events(), 0));
}

CONFORMANCE_TEST(Crash, ABlockedPublisherThatIsKilledLeavesWhatItHadPublished, "CRASH-1", "CRASH-8") {
  NEEDS(processes);
  NEEDS(lossless_block);
  NEEDS(survives_publisher);
  const std::string topic = uri("topic", "policy=lossless&grant=block&depth=4");
  auto subscriber = peer("sink").subscriber(topic);
  for (int round = 0; round < 10; ++round) {
    ScriptedPeer& source = peer(fmt::format("source {}", round));
    auto publisher = source.publisher(topic);
    publisher.wait_for_subscribers(1);
    publisher.begin_publish({.count = 1000, .patience = Patience::unbounded()});
    source.wait_until_blocked();
    source.kill();
    const std::uint64_t accepted = publisher.events(EventKind::published).size();
    EXPECT_EQ(subscriber.take_all(), accepted) << "the sample whose publish had not returned well is no sample";
    EXPECT_SOUND(check_accepted(subscriber.events(), publisher.events(), 0));
    EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, accepted));
  }
  EXPECT_SOUND(check_sound(subscriber));
}

}  // namespace weir::conformance
