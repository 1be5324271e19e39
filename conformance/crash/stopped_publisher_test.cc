// CRASH: a publisher that is stopped, wherever in its work, holds nobody up.
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/harness/fixture.h"

namespace weir::conformance {

using Crash = ConformanceTest;

CONFORMANCE_TEST(Crash, APublisherStoppedAtAnyMomentHarmsNobody, "CRASH-21") {
  NEEDS(processes);
  NEEDS(counts_subscribers);
  NEEDS(drop_oldest);
  const std::string topic = uri("topic", "depth=8&policy=drop_oldest");
  ScriptedPeer& sink = peer("sink");
  ScriptedPeer& victim = peer("stopped");
  ScriptedPeer& source = peer("source");
  auto subscriber = sink.subscriber(topic);
  auto stopped = victim.publisher(topic);
  auto publisher = source.publisher(topic);
  stopped.wait_for_subscribers(1);
  publisher.wait_for_subscribers(1);
  stopped.begin_publish({.count = endless, .size = 0, .size_most = 2000, .quiet = true});
  std::uint64_t sent = 0;
  for (int round = 0; round < 40; ++round) {
    victim.wait_for_publishes(17);
    victim.stop();
    // Takes come to an end, others publish, join and leave.
    subscriber.take_all();
    EXPECT_EQ(subscriber.take_all(), 0U) << "somebody else published in round " << round;
    publisher.publish({.count = 3});
    sent += 3;
    EXPECT_EQ(subscriber.take_all(), 3U) << "round " << round;
    auto newcomer = sink.subscriber(topic);
    publisher.wait_for_subscribers(2);
    publisher.publish();
    ++sent;
    EXPECT_EQ(newcomer.take_all(), 1U) << "round " << round;
    newcomer.close();
    victim.go_on();
  }
  victim.halt();
  victim.finish_well();
  subscriber.take_all();
  EXPECT_SOUND(check_sound(subscriber));
  EXPECT_SOUND(check_range(subscriber.events(), publisher.id(), 0, sent));
}

}  // namespace weir::conformance
