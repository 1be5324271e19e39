// WAIT: no wake-up is ever lost. Whoever loses one hangs, and the watchdog tells.
#include <array>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/harness/fixture.h"
#include "conformance/harness/script.h"

namespace weir::conformance {

using Waiting = ConformanceTest;

namespace {

// Plays ball for so many rounds; the argument is "in out rounds method serves".
Outcome play(Actor& actor, const std::string& argument) {
  std::istringstream words(argument);
  std::uint16_t in = 0;
  std::uint16_t out = 0;
  std::uint64_t rounds = 0;
  int method = 0;
  bool serves = false;
  words >> in >> out >> rounds >> method >> serves;
  const Request send{.operation = Operation::publish, .port = out};
  Request receive{.operation = Operation::receive, .port = in};
  receive.receive.waiting = static_cast<WaitMethod>(method);
  for (std::uint64_t round = 1; round <= rounds; ++round) {
    receive.receive.next = round;
    for (const Request& step : {serves ? send : receive, serves ? receive : send}) {
      if (Outcome outcome = actor.perform(step); !outcome) return outcome;
    }
  }
  return {};
}
const Script play_script("play", play);

}  // namespace

CONFORMANCE_TEST(Waiting, NoWakeUpIsLostBetweenTwo, "WAIT-20") {
  const int rounds = chosen_rounds(1500);
  ScriptedPeer& left = peer("left");
  ScriptedPeer& right = peer("right");
  const std::array<WaitMethod, 3> all{WaitMethod::wait, WaitMethod::poll, WaitMethod::wait_set};
  for (std::size_t at = 0; at < all.size(); ++at) {
    const std::string there = uri(fmt::format("there{}", at));
    const std::string back = uri(fmt::format("back{}", at));
    auto left_in = left.subscriber(back);
    auto right_in = right.subscriber(there);
    auto left_out = left.publisher(there);
    auto right_out = right.publisher(back);
    left_out.wait_for_subscribers(1);
    right_out.wait_for_subscribers(1);
    const auto role = [&](const RemotePort& in, const RemotePort& out, WaitMethod method, bool serves) {
      return fmt::format("{} {} {} {} {:d}", in.number(), out.number(), rounds, static_cast<int>(method), serves);
    };
    right.begin_run("play", role(right_in, right_out, all.at((at + 1) % all.size()), false));
    left.begin_run("play", role(left_in, left_out, all.at(at), true));
    left.finish_well();
    right.finish_well();
    EXPECT_SOUND(check_sound(left_in));
    EXPECT_SOUND(check_sound(right_in));
  }
}

// Everybody waits for everybody: subscribers for the next sample, publishers for the only free place.
CONFORMANCE_TEST(Waiting, NoWakeUpIsLostAmongMany, "WAIT-20") {
  NEEDS(lossless_block);
  NEEDS(counts_subscribers);
  constexpr std::uint64_t count = 800;
  const std::string topic = uri("topic", "policy=lossless&depth=1&deadline=60s");
  std::vector<ScriptedPeer*> sinks;
  std::vector<RemoteSubscriber> subscribers;
  for (const char* name : {"by wait", "by poll", "by wait set"}) {
    sinks.push_back(&peer(name));
    subscribers.push_back(sinks.back()->subscriber(topic));
  }
  ScriptedPeer& blocks = peer("blocks");
  ScriptedPeer& retries = peer("retries");
  auto blocked = blocks.publisher(topic + "&grant=block");
  auto rejected = retries.publisher(topic + (has(feature::lossless_reject) ? "&grant=reject" : "&grant=block"));
  blocked.wait_for_subscribers(3);
  rejected.wait_for_subscribers(3);
  for (std::size_t at = 0; at < sinks.size(); ++at) {
    subscribers[at].begin_receive({.publishers = 2, .next = count, .waiting = static_cast<WaitMethod>(at)});
  }
  blocked.begin_publish({.count = count, .patience = Patience::unbounded()});
  rejected.begin_publish({.count = count, .when = When::held_back_retry});
  for (ScriptedPeer* source : {&blocks, &retries}) EXPECT_EQ(source->finish_well(), count);
  for (ScriptedPeer* sink : sinks) sink->finish_well();
  for (const RemoteSubscriber& subscriber : subscribers) EXPECT_SOUND(check_sound(subscriber));
}

}  // namespace weir::conformance
