// WAIT: calls that wait return for a cause, in time, and cost nothing meanwhile.
#include <time.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/harness/asleep.h"
#include "conformance/harness/fixture.h"

namespace weir::conformance {

using Waiting = ConformanceTest;
using namespace std::chrono_literals;

namespace {

using Call = std::function<Result<Wake>(Deadline deadline, const std::stop_token& stop)>;

// The processor time that this process has used.
std::chrono::nanoseconds processor_time() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// How long this thread was ready to run and got no processor; 0 where the kernel does not count it.
std::chrono::nanoseconds processor_delay() {
  std::ifstream counts("/proc/thread-self/schedstat");
  std::int64_t used = 0;
  std::int64_t delayed = 0;
  counts >> used >> delayed;
  return std::chrono::nanoseconds(delayed);
}

// A topic whose publisher is held back, with all the calls that can wait and now have nothing to return for.
class Silence {
 public:
  // `counts`, `lossless`: whether the backend counts subscribers, and refuses what a lossless one has no room for.
  Silence(Node& node, const std::string& uri, bool counts, bool lossless)
      : subscriber(must(node.subscriber(uri), "subscriber")), publisher(must(node.publisher(uri), "publisher")) {
    calls.emplace_back("Subscriber::wait",
                       [this](Deadline deadline, const auto& stop) { return subscriber.wait(deadline, stop); });
    must(set.add(subscriber, 1), "add");
    calls.emplace_back("WaitSet::wait",
                       [this](Deadline deadline, const auto& stop) { return wait_by_set(deadline, stop); });
    if (counts) {
      calls.emplace_back("Publisher::wait_for_subscribers",
                         [this](Deadline deadline, const auto& stop) { return wait_for_two(deadline, stop); });
    }
    if (!lossless) return;
    full = must(node.subscriber(uri_of_full(uri)), "subscriber");
    held_back = must(node.publisher(uri_of_full(uri)), "publisher");
    must(held_back->wait_for_subscribers(1, never), "wait_for_subscribers");
    while (held_back->send({})) {
    }
    calls.emplace_back("Publisher::wait",
                       [this](Deadline deadline, const auto& stop) { return held_back->wait(deadline, stop); });
  }

  Subscriber subscriber;
  Publisher publisher;
  WaitSet set = must(WaitSet::create(), "wait set");
  std::optional<Subscriber> full;
  std::optional<Publisher> held_back;
  std::vector<std::pair<std::string, Call>> calls;

 private:
  Result<Wake> wait_for_two(Deadline deadline, const std::stop_token& stop) {
    const Status there = publisher.wait_for_subscribers(2, deadline, stop);
    if (there) return Wake::ready;
    if (there.error().code() == ErrorCode::timed_out) return Wake::deadline;
    if (there.error().code() == ErrorCode::interrupted) return Wake::interrupted;
    return tl::unexpected(there.error());
  }

  // As an event loop does: a descriptor may be ready without cause, but not for ever.
  Result<Wake> wait_by_set(Deadline deadline, const std::stop_token& stop) {
    while (true) {
      const Result<WaitSet::Ready> ready = set.wait(deadline, stop);
      if (!ready) return tl::unexpected(ready.error());
      if (ready->wake != Wake::ready) return ready->wake;
      drain();
    }
  }

  void drain() {
    while (must(subscriber.take(), "take")) {
    }
    for (auto event = subscriber.next_event(); event && *event; event = subscriber.next_event()) {
    }
  }

  // The same endpoint with another topic, for the publisher that is held back.
  static std::string uri_of_full(const std::string& uri) {
    Endpoint endpoint = must(Endpoint::parse(uri), "endpoint");
    endpoint.topic += "-full";
    endpoint.options["policy"] = "lossless";
    endpoint.options["grant"] = "reject";
    endpoint.options["depth"] = "1";
    return endpoint.text();
  }
};

}  // namespace

CONFORMANCE_TEST(Waiting, ReturnsAtOnceWhenThereIsSomething, "WAIT-1") {
  const std::string topic = uri("topic");
  auto subscriber = peer("sink").subscriber(topic);
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(1);
  publisher.publish({.count = 2});
  for (const Patience patience : {Patience(0ns), Patience::unbounded()}) {
    const Outcome woke = subscriber.try_wait(patience);
    EXPECT_TRUE(woke && woke.wake == Wake::ready) << to_string(woke);
    EXPECT_EQ(subscriber.take(1), 1U);
  }
  EXPECT_EQ(subscriber.try_wait(0ns).wake, Wake::deadline);
}

CONFORMANCE_TEST(Waiting, ReturnsWhenASampleComes, "WAIT-2") {
  const std::string topic = uri("topic");
  ScriptedPeer& sink = peer("sink");
  auto subscriber = sink.subscriber(topic);
  auto publisher = peer("source").publisher(topic);
  publisher.wait_for_subscribers(1);
  for (int round = 0; round < 20; ++round) {
    subscriber.begin_wait(Patience::unbounded());
    sink.wait_until_blocked();
    publisher.publish();
    const Outcome woke = sink.finish();
    EXPECT_TRUE(woke && woke.wake == Wake::ready) << to_string(woke);
    EXPECT_EQ(subscriber.take_all(), 1U);
  }
}

CONFORMANCE_TEST(Waiting, ReturnsForAPublisherThatJoinedMeanwhile, "WAIT-2") {
  const std::string topic = uri("topic");
  ScriptedPeer& sink = peer("sink");
  ScriptedPeer& source = peer("source");
  auto subscriber = sink.subscriber(topic);
  for (int round = 0; round < 10; ++round) {
    subscriber.begin_receive({.publishers = static_cast<std::uint64_t>(round) + 1});
    auto publisher = source.publisher(topic);
    publisher.wait_for_subscribers(1);
    publisher.publish();
    EXPECT_EQ(sink.finish_well(), 1U);
    publisher.close();
  }
  EXPECT_SOUND(check_wakes(subscriber.events()));
}

CONFORMANCE_TEST(Waiting, EveryWaitEndsAtItsDeadlineAndNotBefore, "WAIT-3") {
  Silence silence(node(), uri("topic"), has(feature::counts_subscribers), has(feature::lossless_reject));
  for (const auto& [name, call] : silence.calls) {
    for (const auto wait : {0ms, 1ms, 30ms}) {
      const auto begin = std::chrono::steady_clock::now();
      const Wake woke = must(call(wait == 0ms ? at_once : begin + wait, {}), name);
      EXPECT_EQ(woke, Wake::deadline) << name;
      EXPECT_GE(std::chrono::steady_clock::now() - begin, wait) << name;
    }
  }
}

// Else a loop that always finds something could not be stopped.
CONFORMANCE_TEST(Waiting, AStopTokenThatWasTriggeredComesBeforeWhatIsThere, "WAIT-4") {
  Subscriber subscriber = this->subscriber(uri("topic"));
  Publisher publisher = this->publisher(uri("topic"));
  must(publisher.wait_for_subscribers(1, never), "wait_for_subscribers");
  must(publisher.send({}), "send");
  ASSERT_EQ(must(subscriber.wait(never), "wait"), Wake::ready);
  std::stop_source stopped;
  stopped.request_stop();
  EXPECT_EQ(must(subscriber.wait(never, stopped.get_token()), "wait"), Wake::interrupted);
  EXPECT_EQ(must(subscriber.wait(never), "wait"), Wake::ready);
}

CONFORMANCE_TEST(Waiting, EveryWaitIsInterruptedByItsStopToken, "WAIT-4") {
  Silence silence(node(), uri("topic"), has(feature::counts_subscribers), has(feature::lossless_reject));
  const pid_t this_thread = gettid();
  for (const auto& [name, call] : silence.calls) {
    std::stop_source before;
    before.request_stop();
    EXPECT_EQ(must(call(never, before.get_token()), name), Wake::interrupted) << name << ", stopped before";
    for (int round = 0; round < 40; ++round) {
      std::stop_source source;
      const std::jthread stopper([&] {
        // Half of them while it sleeps, half of them at any moment.
        if (round % 2 == 0) wait_until_asleep(getpid(), this_thread);
        source.request_stop();
      });
      ASSERT_EQ(must(call(never, source.get_token()), name), Wake::interrupted) << name;
    }
  }
}

CONFORMANCE_TEST(Waiting, AWaitCostsNoProcessorTime, "WAIT-5") {
  Silence silence(node(), uri("topic"), has(feature::counts_subscribers), has(feature::lossless_reject));
  for (const auto& [name, call] : silence.calls) {
    constexpr auto wait = 150ms;
    const auto begin = std::chrono::steady_clock::now();
    const auto before = processor_time();
    const auto delay_before = processor_delay();
    EXPECT_EQ(must(call(begin + wait, {}), name), Wake::deadline) << name;
    const auto used = processor_time() - before;
    const auto delayed = processor_delay() - delay_before;
    const auto late = std::chrono::steady_clock::now() - begin - wait;
    EXPECT_LT(used, wait / 5) << name;
    // On a busy machine who burns a core gets little of one: what it would have used counts too, but for the time after
    // the deadline, for which even a sleeper waits.
    EXPECT_LT(used + delayed - late, wait / 2) << name << ", processor time that it wanted";
  }
}

CONFORMANCE_TEST(Waiting, AHeldBackPublisherIsWokenByFreedSpace, "WAIT-6") {
  NEEDS(lossless_reject);
  const std::string topic = uri("topic", "policy=lossless&grant=reject&depth=2");
  auto subscriber = peer("sink").subscriber(topic);
  ScriptedPeer& source = peer("source");
  auto publisher = source.publisher(topic);
  publisher.wait_for_subscribers(1);
  // Where buffers of a framework's own stand between, one sample taken need not be one place free.
  const std::uint64_t some = has(feature::exact_depth) ? 1 : endless;
  for (int round = 0; round < 20; ++round) {
    publisher.publish({.count = 100'000, .when = When::held_back_end});
    EXPECT_EQ(publisher.try_wait(0ns).wake, Wake::deadline);
    publisher.begin_wait(Patience::unbounded());
    source.wait_until_blocked();
    subscriber.take(some);
    const Outcome woke = source.finish();
    EXPECT_TRUE(woke && woke.wake == Wake::ready) << to_string(woke);
    EXPECT_TRUE(publisher.try_publish()) << "after a wait that returned ready";
  }
}

CONFORMANCE_TEST(Waiting, WaitingForSubscribersEndsWithTheLastOfThem, "WAIT-7") {
  NEEDS(counts_subscribers);
  const std::string topic = uri("topic");
  ScriptedPeer& source = peer("source");
  ScriptedPeer& sink = peer("sink");
  auto publisher = source.publisher(topic);
  EXPECT_TRUE(publisher.try_wait_for_subscribers(0, 0ns));
  EXPECT_TRUE(publisher.try_wait_for_subscribers(1, 0ns).is(ErrorCode::timed_out));
  sink.subscriber(topic);
  EXPECT_TRUE(publisher.try_wait_for_subscribers(1, Patience::unbounded()));
  EXPECT_TRUE(publisher.try_wait_for_subscribers(2, 5ms).is(ErrorCode::timed_out));
  source.begin({.operation = Operation::wait_for_subscribers,
                .port = publisher.number(),
                .count = 2,
                .patience = Patience::unbounded()});
  source.wait_until_blocked();
  sink.subscriber(topic);
  source.finish_well();
}

}  // namespace weir::conformance
