// MEMBER: what is published after wait_for_subscribers(n) returned reaches those n, however they raced with it.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/crash/ending.h"
#include "conformance/harness/fixture.h"
#include "conformance/harness/script.h"

namespace weir::conformance {

using Membership = ConformanceTest;

namespace {

constexpr std::uint64_t early = 3;
constexpr std::uint64_t late = 4;

// Publishes some messages, waits for subscribers, and publishes others at once. Argument: the port and how many to wait
// for.
Outcome publish_around_the_wait(Actor& actor, const std::string& argument) {
  const auto port = static_cast<std::uint16_t>(std::stoul(argument));
  const std::uint64_t count = std::stoul(argument.substr(argument.find(' ')));
  for (const Request& request : {Request{.operation = Operation::publish, .port = port, .publish = {.count = early}},
                                 Request{.operation = Operation::wait_for_subscribers,
                                 .port = port,
                                 .count = count,
                                 .patience = Patience::unbounded()},
                                 Request{.operation = Operation::publish, .port = port, .publish = {.count = late}}}) {
    if (Outcome outcome = actor.perform(request); !outcome) return outcome;
  }
  return {};
}
const Script publish_around_the_wait_script("publish_around_the_wait", publish_around_the_wait);

}  // namespace

CONFORMANCE_TEST(Membership, WhatIsPublishedAfterWaitForSubscribersReachesThemAll, "MEMBER-8") {
  NEEDS(counts_subscribers);
  constexpr std::uint64_t count = 3;
  ScriptedPeer& source = peer("source");
  std::vector<ScriptedPeer*> sinks;
  for (std::uint64_t number = 0; number < count; ++number) sinks.push_back(&peer(fmt::format("sink {}", number)));
  const std::string lossless = has(feature::lossless) ? "&policy=lossless&" + lossless_grant(capabilities()) : "";
  const std::string history = has(feature::history) ? "&history=2" : "";
  const std::array<std::string, 3> options{"", lossless, history};
  Chance chance;
  const auto rounds = static_cast<std::uint64_t>(chosen_rounds(200));
  for (std::uint64_t round = 0; round < rounds; ++round) {
    const std::string topic = fresh_uri("depth=16" + options.at(round % options.size()));
    auto publisher = source.publisher(topic);
    const std::size_t order = chance.below(count + 1);
    std::vector<std::uint16_t> ports(count);
    for (std::size_t step = 0; step <= count; ++step) {
      if (step == order) source.begin_run("publish_around_the_wait", fmt::format("{} {}", publisher.number(), count));
      if (step == count) break;
      ports[step] = static_cast<std::uint16_t>(round + 1);
      sinks[step]->begin({.operation = Operation::open_subscriber, .port = ports[step], .text = topic});
    }
    for (ScriptedPeer* sink : sinks) sink->finish_well();
    source.finish_well();
    for (std::size_t at = 0; at < count; ++at) {
      static_cast<void>(sinks[at]->perform({.operation = Operation::take, .port = ports[at]}));
      const auto events = of_port(sinks[at]->events(), ports[at]);
      EXPECT_SOUND(check_order(events));
      EXPECT_SOUND(check_content(events));
      std::vector<std::uint64_t> received;
      for (const Event& event : taken_from(events, publisher.id())) {
        if (event.sequence >= early) received.push_back(event.sequence);
      }
      EXPECT_EQ(received.size(), late) << "in round " << round << " with " << topic;
      static_cast<void>(sinks[at]->perform({.operation = Operation::close, .port = ports[at]}));
    }
    publisher.close();
  }
}

CONFORMANCE_TEST(Membership, WhatIsPublishedAfterWaitForSubscribersReachesThoseWhoJoinWhileOthersDie, "MEMBER-8") {
  NEEDS(processes);
  NEEDS(counts_subscribers);
  ScriptedPeer& source = peer("source");
  ScriptedPeer& sink = peer("sink");
  for (int round = 0; round < 30; ++round) {
    const std::string topic = fresh_uri("depth=16");
    auto publisher = source.publisher(topic);
    ScriptedPeer& victim = peer(fmt::format("victim {}", round));
    victim.subscriber(topic);
    victim.subscriber(topic);
    source.begin_run("publish_around_the_wait", fmt::format("{} 3", publisher.number()));
    victim.kill();
    std::vector<RemoteSubscriber> subscribers;
    for (int number = 0; number < 3; ++number) subscribers.push_back(sink.subscriber(topic));
    source.finish_well();
    // With two of the dead still counted, the third of the living would have missed something.
    for (const RemoteSubscriber& subscriber : subscribers) {
      subscriber.take_all();
      const auto taken = taken_from(subscriber.events(), publisher.id());
      EXPECT_EQ(std::count_if(taken.begin(), taken.end(), [](const Event& event) { return event.sequence >= early; }),
                static_cast<std::ptrdiff_t>(late))
          << "in round " << round;
      subscriber.close();
    }
    publisher.close();
  }
}

}  // namespace weir::conformance
