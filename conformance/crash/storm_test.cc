// CRASH: a publisher killed at any moment leaves a prefix of its stream.
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/crash/ending.h"
#include "conformance/harness/fixture.h"

namespace weir::conformance {

using Crash = ConformanceTest;
using namespace std::chrono_literals;

namespace {

// What was known of a publisher when it had died.
struct Life {
  PeerId id;
  EventLog::Progress progress;
};

// The stream as it was received ends with what publish accepted, or one later: a publish that had begun may have
// succeeded.
void expect_prefix(Events events, const Life& life, bool exact_loss) {
  const auto taken = taken_from(events, life.id);
  const std::uint64_t end = taken.empty() ? 0 : taken.back().sequence + 1;
  EXPECT_GE(end, life.progress.accepted) << "the newest samples of " << life.id << " are missing";
  EXPECT_LE(end, life.progress.begun) << "more came from " << life.id << " than it had sent";
  if (exact_loss) EXPECT_SOUND(check_range(events, life.id, 0, end));
}

// Publishers of one topic, killed one after the other, each after a random time.
class KilledPublishers {
 public:
  KilledPublishers(ScriptedPeer& sink, RemoteSubscriber subscriber) : sink_(&sink), subscriber_(subscriber) {}

  // `receiving`: what the subscriber does meanwhile; nothing: it takes when the publisher is dead.
  void kill_one(ScriptedPeer& source, const std::string& topic, const PublishScript& script,
                std::uint64_t most_published, const std::optional<ReceiveScript>& receiving) {
    auto publisher = source.publisher(topic);
    publisher.wait_for_subscribers(1);
    if (receiving) subscriber_.begin_receive(*receiving);
    publisher.begin_publish(script);
    source.wait_for_publishes(chance.below(most_published));
    chance.let_pass(100us);
    source.kill();
    if (receiving) {
      sink_->halt();
      sink_->finish_well();
    }
    subscriber_.take_all();
    lives_.push_back({publisher.id(), source.progress()});
  }

  // The subscriber's events, each life a prefix.
  Events expect_prefixes(bool exact_loss) {
    events_ = subscriber_.events();
    for (const Life& life : lives_) expect_prefix(events_, life, exact_loss);
    return events_;
  }

  Chance chance;

 private:
  ScriptedPeer* sink_;
  RemoteSubscriber subscriber_;
  std::vector<Life> lives_;
  std::vector<Event> events_;
};

}  // namespace

CONFORMANCE_TEST(Crash, APublisherKilledAtAnyMomentLeavesAPrefix, "CRASH-8") {
  NEEDS(processes);
  NEEDS(survives_publisher);
  NEEDS(drop_oldest);
  const std::string topic = uri("topic", "depth=64");
  ScriptedPeer& sink = peer("sink");
  auto subscriber = sink.subscriber(topic);
  KilledPublishers killed(sink, subscriber);
  const int kills = chosen_rounds(100);
  for (int round = 0; round < kills; ++round) {
    // Of small messages many have been sent, of mixed ones memory is still being made when it is killed.
    const std::uint64_t most = std::array<std::uint64_t, 3>{100, 5000, 600'000}.at(killed.chance.below(3));
    std::optional<ReceiveScript> racing;
    if (round % 2 == 0) racing = {.next = endless, .hold = 4, .waiting = WaitMethod::spin};
    killed.kill_one(peer(fmt::format("source {}", round)), topic,
                    {.count = endless, .size = 0, .size_most = most, .quiet = true}, 40, racing);
  }
  EXPECT_SOUND(check_sound(subscriber));
  killed.expect_prefixes(has(feature::exact_loss));
}

CONFORMANCE_TEST(Crash, ALosslessSubscriberLosesNothingOfPublishersKilledAtAnyMoment, "CRASH-8", "CRASH-1") {
  NEEDS(processes);
  NEEDS(survives_publisher);
  NEEDS(lossless_block);
  const std::string topic = uri("topic", "policy=lossless&grant=block&depth=8");
  ScriptedPeer& sink = peer("sink");
  auto subscriber = sink.subscriber(topic);
  KilledPublishers killed(sink, subscriber);
  const int kills = chosen_rounds(60);
  for (int round = 0; round < kills; ++round) {
    killed.kill_one(
        peer(fmt::format("source {}", round)), topic,
        {.count = endless, .size = 0, .size_most = 20'000, .patience = Patience::unbounded(), .quiet = true}, 100,
        ReceiveScript{.next = endless, .waiting = WaitMethod::spin});
  }
  EXPECT_SOUND(check_sound(subscriber));
  const Events events = killed.expect_prefixes(has(feature::exact_loss));
  for (const Event& event : of_kind(events, EventKind::taken)) ASSERT_EQ(event.lost_before, 0U) << to_string(event);
}

CONFORMANCE_TEST(Crash, APublisherGoesOnUndisturbedWhileOthersAreKilled, "CRASH-12") {
  NEEDS(processes);
  NEEDS(lossless_block);
  constexpr std::uint64_t burst = 200;
  const auto rounds = static_cast<std::uint64_t>(chosen_rounds(30));
  const std::string topic = uri("topic", "policy=lossless&grant=block&deadline=60s&depth=16");
  ScriptedPeer& sink = peer("sink");
  ScriptedPeer& survivor = peer("survivor");
  auto subscriber = sink.subscriber(topic);
  auto publisher = survivor.publisher(topic);
  publisher.wait_for_subscribers(1);
  Chance chance;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    ScriptedPeer& victim = peer(fmt::format("victim {}", round));
    auto dying = victim.publisher(topic);
    dying.wait_for_subscribers(1);
    subscriber.begin_receive({.next = endless, .waiting = WaitMethod::spin});
    dying.begin_publish({.count = endless, .size_most = 3000, .quiet = true});
    publisher.begin_publish({.count = burst, .size_most = 3000});
    victim.wait_for_publishes(chance.below(20));
    chance.let_pass(200us);
    victim.kill();
    EXPECT_EQ(survivor.finish_well(), burst);
    sink.halt();
    sink.finish_well();
    subscriber.take_all();
  }
  EXPECT_SOUND(check_sound(subscriber));
  EXPECT_EQ(taken_from(subscriber.events(), publisher.id()).size(), rounds * burst);
  EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, rounds * burst));
}

}  // namespace weir::conformance
