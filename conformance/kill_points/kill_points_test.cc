// CRASH: killed at points of its work, found from outside, so for any backend.
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/crash/ending.h"
#include "conformance/harness/fixture.h"
#include "conformance/kill_points/tracer.h"

namespace weir::conformance {

class KillPoints : public ConformanceTest {
 protected:
  // Makes a victim ready on this topic, and says what it shall do.
  using Prepare = std::function<Request(ScriptedPeer& victim, const std::string& topic)>;

  // Kills a victim at point after point in a random order: all of them, or as many as fit into the budget, one at
  // least. Survivors and a successor are judged each time.
  void kill_at_points(Tracer::Points points, const Prepare& prepare);

 private:
  // Returns the points there were before it was killed, or before its work was done. Nothing: ptrace is denied.
  std::optional<std::uint64_t> kill_at(std::uint64_t point, Tracer::Points points, const Prepare& prepare);
  std::uint64_t round_ = 0;
};

std::optional<std::uint64_t> KillPoints::kill_at(std::uint64_t point, Tracer::Points points, const Prepare& prepare) {
  const std::string topic = uri(fmt::format("round{}", ++round_), "depth=64");
  ScriptedPeer& sink = peer("sink");
  ScriptedPeer& source = peer("source");
  ScriptedPeer& victim = peer("victim");
  auto subscriber = sink.subscriber(topic);
  auto publisher = source.publisher(topic);
  publisher.wait_for_subscribers(1);
  publisher.publish({.count = 3});
  const Request request = prepare(victim, topic);
  publisher.publish({.count = 3});
  std::optional<Tracer> tracer = Tracer::attach(victim.process(), points);
  if (!tracer) return std::nullopt;
  victim.begin(request);
  std::uint64_t passed = 0;
  while (passed < point && tracer->go_to_next([&] { return victim.answered(); })) ++passed;
  victim.kill();

  publisher.publish({.count = 5});
  subscriber.take_all();
  EXPECT_SOUND(check_sound(subscriber));
  EXPECT_SOUND(check_accepted(subscriber.events(), publisher.events(), 0));
  auto sent = publisher.events();
  const auto sent_by_victim = victim.events();
  sent.insert(sent.end(), sent_by_victim.begin(), sent_by_victim.end());
  EXPECT_SOUND(check_origin(subscriber.events(), sent));
  ScriptedPeer& successor = peer("successor");
  auto next_subscriber = successor.subscriber(topic);
  auto next_publisher = successor.publisher(topic);
  next_publisher.wait_for_subscribers(has(feature::counts_subscribers) ? 2 : 1);
  next_publisher.publish({.count = 2});
  EXPECT_EQ(subscriber.take_all(), 2U);
  EXPECT_EQ(next_subscriber.take_all(), 2U);
  EXPECT_SOUND(check_sound(subscriber));
  EXPECT_SOUND(check_sound(next_subscriber));
  end_peers();
  return passed;
}

void KillPoints::kill_at_points(Tracer::Points points, const Prepare& prepare) {
  const auto begin = std::chrono::steady_clock::now();
  const std::optional<std::uint64_t> all = kill_at(~std::uint64_t{0}, points, prepare);
  if (!all) INCONCLUSIVE("this machine does not allow ptrace(2) of a child");
  EXPECT_GT(*all, 0U);
  Chance chance;
  std::uint64_t killed = 0;
  for (const std::uint64_t point : chance.order_of(*all)) {
    // What a point takes is not foreseen: another machine, or the same beside others, takes three times as long.
    if (HasFailure() || (killed > 0 && std::chrono::steady_clock::now() - begin >= budget())) break;
    SCOPED_TRACE(fmt::format("killed at point {} of {}", point, *all));
    kill_at(point, points, prepare);
    ++killed;
  }
  fmt::print("{} kill points, killed at {}\n", *all, killed);
}

CONFORMANCE_TEST(KillPoints, APublisherKilledAtAStoreOrSystemCallHarmsNobody, "CRASH-23") {
  NEEDS(processes);
  NEEDS(survives_publisher);
  NEEDS(drop_oldest);
  kill_at_points(Tracer::Points::stores, [](ScriptedPeer& victim, const std::string& topic) {
    auto publisher = victim.publisher(topic);
    publisher.wait_for_subscribers(1);
    publisher.publish({.count = 2});
    return Request{.operation = Operation::publish, .port = publisher.number(), .publish = {.count = 1, .size = 200}};
  });
}

CONFORMANCE_TEST(KillPoints, ASubscriberKilledAtAStoreOrSystemCallHarmsNobody, "CRASH-23") {
  NEEDS(processes);
  NEEDS(survives_publisher);
  NEEDS(drop_oldest);
  kill_at_points(Tracer::Points::stores, [](ScriptedPeer& victim, const std::string& topic) {
    auto subscriber = victim.subscriber(topic);
    return Request{.operation = Operation::take, .port = subscriber.number(), .count = 2};
  });
}

CONFORMANCE_TEST(KillPoints, WhoeverIsKilledAtASystemCallOfItsJoinHarmsNobody, "CRASH-23") {
  NEEDS(processes);
  NEEDS(survives_publisher);
  NEEDS(drop_oldest);
  for (const Operation role : {Operation::open_publisher, Operation::open_subscriber}) {
    kill_at_points(Tracer::Points::system_calls, [&](ScriptedPeer& /*victim*/, const std::string& topic) {
      return Request{.operation = role, .port = 1, .text = topic};
    });
  }
}

CONFORMANCE_TEST(KillPoints, WhoeverIsKilledAtASystemCallOfItsLeaveHarmsNobody, "CRASH-23") {
  NEEDS(processes);
  NEEDS(survives_publisher);
  NEEDS(drop_oldest);
  kill_at_points(Tracer::Points::system_calls, [](ScriptedPeer& victim, const std::string& topic) {
    return Request{.operation = Operation::close, .port = victim.publisher(topic).number()};
  });
  kill_at_points(Tracer::Points::system_calls, [](ScriptedPeer& victim, const std::string& topic) {
    return Request{.operation = Operation::close, .port = victim.subscriber(topic).number()};
  });
}

}  // namespace weir::conformance
