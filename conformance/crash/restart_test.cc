// CRASH: a topic whose users were all killed is as good as new.
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/harness/fixture.h"

namespace weir::conformance {

using Crash = ConformanceTest;

CONFORMANCE_TEST(Crash, ATopicWhoseUsersWereAllKilledWorksAgain, "CRASH-22") {
  NEEDS(processes);
  const std::string topic = uri("topic", has(feature::history) ? "depth=8&history=8" : "depth=8");
  for (int round = 0; round < 10; ++round) {
    ScriptedPeer& source = peer(fmt::format("source {}", round));
    ScriptedPeer& sink = peer(fmt::format("sink {}", round));
    auto subscriber = sink.subscriber(topic);
    auto publisher = source.publisher(topic);
    publisher.wait_for_subscribers(1);
    EXPECT_EQ(subscriber.take_all(), 0U) << "something of the past, in round " << round;
    publisher.publish({.count = 8, .size = 0, .size_most = 20'000});
    EXPECT_EQ(subscriber.hold(4), 4U);
    if (round % 2 == 0) {
      source.kill();
      sink.kill();
    } else {
      sink.kill();
      source.kill();
    }
    EXPECT_SOUND(check_sound(subscriber));
  }
}

}  // namespace weir::conformance
