// Bridges within one process: what they carry, what they count, and what they refuse.
#include "adapters/bridge/bridge.h"

#include <poll.h>

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/iceoryx/testing/scarce_threads.h"
#include "adapters/protobuf/testing/written_bytes.h"
#include "conformance/performance/temporary_root.h"

namespace weir::bridge {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

Deadline soon() { return after(60s); }  // only a watchdog

template <class Value>
Value must(Result<Value> result) {
  if (!result) throw std::runtime_error(result.error().message());
  if constexpr (!std::is_void_v<Value>) return std::move(*result);
}

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }
std::string text(std::span<const std::byte> payload) {
  return {reinterpret_cast<const char*>(payload.data()), payload.size()};
}

Sample next(Subscriber& subscriber) {
  while (must(subscriber.wait(soon())) == Wake::ready) {
    if (Sample sample = must(subscriber.take())) return sample;
  }
  throw std::runtime_error("no sample came");
}

class BridgeTest : public ::testing::Test {
 protected:
  Announce note() {
    return [this](const std::string& sentence) {
      const std::lock_guard lock(lock_);
      said_ += sentence + '\n';
      changed_.notify_all();
    };
  }
  std::string said() {
    const std::lock_guard lock(lock_);
    return said_;
  }
  void await(const std::string& word) {
    std::unique_lock lock(lock_);
    if (!changed_.wait_until(lock, soon(), [&] { return said_.find(word) != std::string::npos; })) {
      throw std::runtime_error("it did not say \"" + word + "\", but:\n" + said_);
    }
  }
  // A bridge that runs until the end of the test, or until it is stopped.
  Bridge& run(const Bridge::Rules& rules) {
    constexpr Pace quick{.listing = 10ms, .retry = 50ms};
    bridge_ = must(Bridge::open(node_, rules, note(), quick));
    thread_ = std::jthread([this](const std::stop_token& stop) { bridge_->run(stop); });
    return *bridge_;
  }
  void stop() { thread_ = std::jthread(); }
  // Until the bridge has left the topic.
  static void await_departure(Subscriber& subscriber) {
    while (true) {
      const auto event = must(subscriber.next_event());
      if (event && event->change == Change::left) return;
      pollfd changed{.fd = must(subscriber.fd()), .events = POLLIN, .revents = 0};
      if (!event && poll(&changed, 1, 60'000) != 1) throw std::runtime_error("the bridge has not left");
    }
  }

  const performance::TemporaryRoot root_;
  Node node_ = must(Node::open());
  std::mutex lock_;
  std::condition_variable changed_;
  std::string said_;
  std::unique_ptr<Bridge> bridge_;
  std::jthread thread_;
};

TEST_F(BridgeTest, CarriesEveryMessageInOrderWithItsHeader) {
  Bridge& bridge = run({{.from = "inproc://a?policy=lossless", .to = "shm://b?grant=block"}});
  Publisher publisher = must(node_.publisher("inproc://a?grant=block"));
  Subscriber subscriber = must(node_.subscriber("shm://b?policy=lossless"));
  for (std::uint64_t number = 0; number < 100; ++number) {
    const std::string content(number * 37, static_cast<char>('a' + number % 26));
    must(publisher.send(bytes(content), bytes(std::to_string(number))));
    const Sample sample = next(subscriber);
    ASSERT_EQ(text(sample.payload()), content);
    ASSERT_EQ(text(sample.header()), std::to_string(number));
    ASSERT_EQ(sample.lost_before(), 0U);
  }
  stop();
  EXPECT_EQ(bridge.routes().at(0).counts.carried, 100U);
  EXPECT_EQ(said(), "");
}

TEST_F(BridgeTest, BackPressureGoesThroughItAndNothingIsLost) {
  Bridge& bridge = run({{.from = "inproc://a?policy=lossless&depth=2", .to = "inproc://b?grant=block"}});
  Publisher publisher = must(node_.publisher("inproc://a?grant=reject"));
  Subscriber subscriber = must(node_.subscriber("inproc://b?policy=lossless&depth=3"));
  std::uint64_t sent = 0;
  // The bridge carries three and holds one, and two wait before it.
  while (sent < 6) {
    if (publisher.send(bytes(std::to_string(sent)))) {
      ++sent;
    } else {
      ASSERT_EQ(must(publisher.wait(soon())), Wake::ready);
    }
  }
  const auto refused = publisher.send(bytes("one too many"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::back_pressure);
  for (std::uint64_t number = 0; number < sent; ++number)
    EXPECT_EQ(text(next(subscriber).payload()), std::to_string(number));
  stop();
  EXPECT_EQ(bridge.routes().at(0).counts.carried, sent);
  EXPECT_EQ(bridge.routes().at(0).counts.lost, 0U);
}

TEST_F(BridgeTest, WhatIsLostBeforeItIsCountedAndAnnounced) {
  Bridge& bridge = run({{.from = "inproc://a?depth=2", .to = "inproc://b?grant=block"}});
  Publisher publisher = must(node_.publisher("inproc://a"));
  Subscriber subscriber = must(node_.subscriber("inproc://b?policy=lossless&depth=1"));
  for (int number = 0; number < 50; ++number) must(publisher.send(bytes(std::to_string(number))));
  for (std::string last; last != "49";) last = text(next(subscriber).payload());
  stop();
  const Counts counts = bridge.routes().at(0).counts;
  EXPECT_GT(counts.lost, 0U);
  EXPECT_EQ(counts.carried + counts.lost, 50U);
  EXPECT_THAT(said(), HasSubstr("messages were lost before number"));
}

TEST_F(BridgeTest, DropsOnlyIfToldToAndCountsAndAnnouncesIt) {
  Bridge& bridge = run(
      {{.from = "inproc://a?policy=lossless&depth=64", .to = "inproc://b?grant=reject", .when_full = WhenFull::drop}});
  Publisher publisher = must(node_.publisher("inproc://a?grant=block"));
  Subscriber subscriber = must(node_.subscriber("inproc://b?policy=lossless&depth=5"));
  for (int number = 0; number < 20; ++number) must(publisher.send(bytes(std::to_string(number))));
  must(publisher.wait_until_taken(19, soon()));
  while (bridge.routes().at(0).counts.dropped < 15) std::this_thread::yield();  // taken first, and dropped then
  for (int number = 0; number < 5; ++number) EXPECT_EQ(text(next(subscriber).payload()), std::to_string(number));
  must(publisher.send(bytes("after")));
  EXPECT_EQ(text(next(subscriber).payload()), "after");
  stop();
  const Counts counts = bridge.routes().at(0).counts;
  EXPECT_EQ(counts.dropped, 15U);
  EXPECT_EQ(counts.carried, 6U);
  EXPECT_THAT(said(), HasSubstr("15 messages were dropped"));
}

TEST_F(BridgeTest, WaitsForMemoryThatMessagesInUseHold) {
  Bridge& bridge = run({{.from = "inproc://a?policy=lossless", .to = "inproc://b?grant=block&memory=100"}});
  Publisher publisher = must(node_.publisher("inproc://a?grant=block"));
  Subscriber subscriber = must(node_.subscriber("inproc://b?policy=lossless&depth=5"));
  const std::string most(60, 'x');  // of the memory: there is room for one
  for (int number = 0; number < 5; ++number) must(publisher.send(bytes(std::to_string(number) + most)));
  for (int number = 0; number < 5; ++number) EXPECT_EQ(text(next(subscriber).payload()), std::to_string(number) + most);
  EXPECT_EQ(bridge.routes().at(0).counts.unfit, 0U);
}

TEST_F(BridgeTest, SaysWhatItWaitsForWhereMemoryIsNotGivenBack) {
  run({{.from = "inproc://a?policy=lossless", .to = "inproc://b?grant=block&history=1&memory=100"}});
  Publisher publisher = must(node_.publisher("inproc://a?grant=block"));
  for (int number = 0; number < 2; ++number) must(publisher.send(bytes(std::string(60, 'x'))));  // the first is history
  await("waits for memory: topic \"b\"");
}

TEST_F(BridgeTest, WhereTheTargetDropsWantOfMemoryHoldsNobodyBack) {
  Bridge& bridge = run({{.from = "inproc://a?policy=lossless", .to = "inproc://b?grant=drop&memory=100"}});
  Publisher publisher = must(node_.publisher("inproc://a?grant=block"));
  const Subscriber subscriber = must(node_.subscriber("inproc://b?depth=5"));  // takes none
  for (int number = 0; number < 100; ++number) must(publisher.send(bytes(std::string(60, 'x'))));
  must(publisher.wait_until_taken(99, soon()));
  while (bridge.routes().at(0).counts.dropped < 99) std::this_thread::yield();
}

TEST_F(BridgeTest, CountsWhatAStoppedRouteLeavesBehind) {
  Bridge& bridge = run({{.from = "inproc://a?policy=lossless&depth=200", .to = "inproc://b?grant=block"}});
  Publisher publisher = must(node_.publisher("inproc://a?grant=block"));
  const Subscriber subscriber = must(node_.subscriber("inproc://b?policy=lossless&depth=1"));  // takes none
  for (int number = 0; number < 150; ++number) must(publisher.send(bytes(std::to_string(number))));
  stop();
  const Counts counts = bridge.routes().at(0).counts;
  EXPECT_EQ(counts.carried + counts.dropped, 150U);
  EXPECT_THAT(said(), HasSubstr("messages were dropped"));
}

TEST_F(BridgeTest, WhatATransportCannotCarryIsAnnouncedAndTheNextIsCarried) {
  Bridge& bridge = run({{.from = "inproc://a?policy=lossless", .to = "zmq+inproc://b?grant=block"}});
  Publisher publisher = must(node_.publisher("inproc://a?grant=block"));
  Subscriber subscriber = must(node_.subscriber("zmq+inproc://b?policy=lossless"));
  must(publisher.send(bytes("payload"), bytes("header")));
  await("cannot be carried and is lost");
  while (bridge.routes().at(0).counts.carried == 0) {  // until ZeroMQ has connected
    must(publisher.send(bytes("plain")));
    must(publisher.wait_until_taken(publisher.next_sequence() - 1, soon()));
  }
  EXPECT_EQ(bridge.routes().at(0).counts.unfit, 1U);
}

TEST_F(BridgeTest, CopiesAMessageOnce) {
  constexpr std::size_t size = 100'000;
  auto route = must(Route::open(node_, {.from = "shm://a?depth=16", .to = "shm://b"}, note()));
  Publisher publisher = must(node_.publisher("shm://a"));
  const std::string content(size, 'x');
  for (int count = 0; count < 10; ++count) must(publisher.send(bytes(content)));
  std::stop_source stopped;
  stopped.request_stop();  // carries what has come, on this thread, whose copies are counted
  const std::uint64_t before = protobuf::testing::written_bytes();
  route->run(stopped.get_token());
  const std::uint64_t copied = protobuf::testing::written_bytes() - before;
  EXPECT_EQ(route->counts().carried, 10U);
  EXPECT_GE(copied, 10 * size) << "the copies are not counted";
  EXPECT_LT(copied, 11 * size) << "a message was copied twice";
}

// ---- Names and circles ----

TEST_F(BridgeTest, ToItselfIsRefused) {
  const auto refused = Bridge::open(node_, {{.from = "shm://a?depth=4", .to = "shm://a"}}, note());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::invalid_argument);
  EXPECT_THAT(refused.error().message(), HasSubstr("to itself"));
}

TEST_F(BridgeTest, TheSecondOfACircleIsRefusedAndTheWayRoundIsNamed) {
  const auto first = must(Bridge::open(node_, {{.from = "shm://a", .to = "shm://b"}}, note()));
  const auto second = must(Bridge::open(node_, {{.from = "shm://b", .to = "shm://c"}}, note()));
  const auto refused = Bridge::open(node_, {{.from = "shm://c", .to = "shm://a"}}, note());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::invalid_argument);
  EXPECT_THAT(refused.error().message(), HasSubstr("circle"));
  EXPECT_THAT(refused.error().message(), HasSubstr("shm://a -> shm://b"));
  EXPECT_THAT(refused.error().message(), HasSubstr("shm://b -> shm://c"));
  EXPECT_TRUE(Bridge::open(node_, {{.from = "shm://a", .to = "shm://c"}}, note())) << "two ways are no circle";
}

TEST_F(BridgeTest, OfARouteThatAnotherCarriesIsRefusedUntilThatEnds) {
  auto first = must(Bridge::open(node_, {{.from = "shm://a", .to = "shm://b"}}, note()));
  const auto refused = Bridge::open(node_, {{.from = "shm://a", .to = "shm://b?grant=block"}}, note());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::name_taken);
  EXPECT_THAT(refused.error().message(), HasSubstr("already"));
  first.reset();
  EXPECT_TRUE(Bridge::open(node_, {{.from = "shm://a", .to = "shm://b"}}, note()));
}

TEST_F(BridgeTest, ToANameThatIsTakenIsRefused) {
  const Publisher owner = must(node_.publisher("zmq+inproc://b"));
  const auto refused = Bridge::open(node_, {{.from = "shm://a", .to = "zmq+inproc://b"}}, note());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::name_taken) << refused.error().message();
}

TEST(Places, OfTheSameMachineAreTheSame) {
  EXPECT_EQ(*place_of("zmq+tcp://*:5555?depth=3"), *place_of("zmq+tcp://127.0.0.1:5555"));
  EXPECT_NE(*place_of("zmq+tcp://*:5555"), *place_of("zmq+tcp://*:5556"));
  EXPECT_NE(*place_of("zmq+tcp://other:5555"), *place_of("zmq+tcp://*:5555"));
  EXPECT_NE(*place_of("shm://a"), *place_of("shm://a?root=/dev/shm/other"));
}

// ---- Patterns ----

TEST(Patterns, MapWhatTheStarStandsFor) {
  EXPECT_EQ(map_topic("camera/*", "c-*-out", "camera/front"), "c-front-out");
  EXPECT_EQ(map_topic("*/raw", "*", "front/raw"), "front");
  EXPECT_EQ(map_topic("camera/*", "*", "lidar/front"), "");
  EXPECT_EQ(map_topic("camera/*", "*", "camera/"), "");
  EXPECT_EQ(map_topic("ab*ba", "*", "aba"), "");
}

TEST_F(BridgeTest, APatternCarriesTopicsThatComeLaterAndNoOthers) {
  run({{.from = "inproc://camera/*?policy=lossless", .to = "inproc://out/*?grant=block"}});
  Subscriber front = must(node_.subscriber("inproc://out/front?policy=lossless"));
  Subscriber rear = must(node_.subscriber("inproc://out/rear?policy=lossless"));
  Publisher lidar = must(node_.publisher("inproc://lidar?grant=block"));
  for (const auto& [name, subscriber] : {std::pair{"front", &front}, std::pair{"rear", &rear}}) {
    Publisher publisher = must(node_.publisher(fmt::format("inproc://camera/{}?grant=block", name)));
    must(publisher.wait_for_subscribers(1, soon()));
    must(publisher.send(bytes(name)));
    EXPECT_EQ(text(next(*subscriber).payload()), name);
  }
  await("inproc://camera/rear?policy=lossless -> inproc://out/rear?grant=block: found");  // after it carries
  EXPECT_THAT(said(), Not(HasSubstr("lidar")));
}

TEST_F(BridgeTest, APatternLetsNoTopicGoOfWhichMessagesWait) {
  Bridge& bridge = run({{.from = "inproc://camera/*?policy=lossless", .to = "inproc://out/*?grant=block"}});
  Subscriber slow = must(node_.subscriber("inproc://out/front?policy=lossless&depth=1"));
  Subscriber rear = must(node_.subscriber("inproc://out/rear"));
  {
    Publisher front = must(node_.publisher("inproc://camera/front?grant=block"));
    must(front.wait_for_subscribers(1, soon()));
    for (int number = 0; number < 10; ++number) must(front.send(bytes(std::to_string(number))));
  }
  {
    Publisher publisher = must(node_.publisher("inproc://camera/rear?grant=block"));
    must(publisher.wait_for_subscribers(1, soon()));
  }
  // The publisher of this one left later, and nothing of it waits: when it is let go, the other might have been.
  await_departure(rear);
  for (int number = 0; number < 10; ++number) EXPECT_EQ(text(next(slow).payload()), std::to_string(number));
  await_departure(slow);
  for (const Bridge::State& route : bridge.routes()) EXPECT_EQ(route.counts.dropped, 0U) << route.options.from;
}

TEST_F(BridgeTest, APatternTriesAgainWhatWasInItsWayOnce) {
  auto owner = node_.publisher("zmq+inproc://out-front");
  ASSERT_TRUE(owner) << owner.error().message();
  run({{.from = "inproc://camera/*", .to = "zmq+inproc://out-*"}});
  const Publisher publisher = must(node_.publisher("inproc://camera/front"));
  await("inproc://camera/front is not carried");
  { const Publisher leaves = std::move(*owner); }
  await("inproc://camera/front -> zmq+inproc://out-front: found");
  const std::string everything = said();
  const std::string refusal = "is not carried";
  EXPECT_EQ(everything.find(refusal), everything.rfind(refusal)) << "it is said once: " << everything;
}

TEST_F(BridgeTest, APatternWhereNoTopicsAreListedIsRefused) {
  const auto refused = Bridge::open(node_, {{.from = "zmq+ipc:///tmp/*", .to = "shm://*"}}, note());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::unsupported);
  const auto lopsided = Bridge::open(node_, {{.from = "shm://*", .to = "shm://all"}}, note());
  ASSERT_FALSE(lopsided);
  EXPECT_EQ(lopsided.error().code(), ErrorCode::invalid_argument);
}

TEST_F(BridgeTest, APatternIntoItselfIsRefused) {
  const auto endless = Bridge::open(node_, {{.from = "shm://*", .to = "shm://backup/*"}}, note());
  ASSERT_FALSE(endless);
  EXPECT_EQ(endless.error().code(), ErrorCode::invalid_argument);
  EXPECT_THAT(endless.error().message(), HasSubstr("without end"));
  for (const auto* target : {"shm://backup/*?root=/dev/shm/weir-elsewhere", "inproc://backup/*"}) {
    EXPECT_TRUE(Bridge::open(node_, {{.from = "shm://*", .to = target}}, note())) << target;
  }
  EXPECT_TRUE(Bridge::open(node_, {{.from = "shm://camera/*", .to = "shm://backup/*"}}, note()));
}

// ---- Threads ----

TEST_F(BridgeTest, ARouteForWhichThereIsNoThreadIsAnError) {
  const iceoryx::ScarceThreads none;
  const auto refused = Bridge::open(node_, {{.from = "inproc://a", .to = "inproc://b"}}, note());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::resource_exhausted) << refused.error().message();
  EXPECT_THAT(refused.error().message(), HasSubstr("pids.max"));
}

}  // namespace
}  // namespace weir::bridge
