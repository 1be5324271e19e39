// The program weir-bridge between native programs that know nothing of weir: iceoryx's own example, pyzmq, and a C
// program into which libzmq is linked. Each of them, and the bridge, is killed and started anew.
#include <charconv>
#include <csignal>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/iceoryx/roudi_process.h"
#include "adapters/iceoryx/testing/program.h"
#include "transport/node.h"

namespace weir::bridge {
namespace {

using iceoryx::Program;
using iceoryx::RoudiProcess;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* radar = "iceoryx://Radar/FrontLeft/Object";
constexpr const char* feed = "ipc:///tmp/radar";

using Peer = std::unique_ptr<Program>;

Peer run(const std::string& path, const std::vector<std::string>& arguments) {
  return std::make_unique<Program>(path, arguments);
}
Peer pyzmq(const std::string& role) {
  Peer peer = run("/usr/bin/python3", {"adapters/bridge/pyzmq_peer.py", role, feed});
  peer->expect("ready");
  return peer;
}
Peer bridge(const std::string& from, const std::string& to) {
  Peer bridge = run("adapters/bridge/weir-bridge", {"--route", from, to});
  bridge->expect("carrying");
  return bridge;
}
// What the bridge says it has carried by now; and at its end.
std::string account_of(Program& bridge) {
  bridge.signal(SIGUSR1);
  return bridge.expect(": carried ");
}
std::string end(Program& bridge) {
  bridge.signal(SIGTERM);
  return bridge.expect(": carried ");
}

std::uint64_t number_behind(const std::string& line, std::string_view words) {
  const std::size_t place = line.find(words);
  std::uint64_t number = 0;
  if (place == std::string::npos) throw std::runtime_error(line);
  std::from_chars(line.data() + place + words.size(), line.data() + line.size(), number);
  return number;
}

class NativePeers : public ::testing::Test {
 protected:
  void start_roudi() {
    auto started = RoudiProcess::start({{.payload = 256, .count = 1024}}, false);
    if (!started) throw std::runtime_error(started.error().message());
    roudi_ = std::move(*started);
  }
  std::unique_ptr<RoudiProcess> roudi_;
};

TEST_F(NativePeers, SamplesOfAnIceoryxProgramReachAPyzmqProgramWhicheverOfThemIsKilledAndStartedAnew) {
  start_roudi();
  Peer carrier = bridge(radar, fmt::format("zmq+{}", feed));
  Peer subscriber = pyzmq("subscribe");
  Peer publisher = run("adapters/iceoryx/native_icedelivery_publisher", {});
  subscriber->expect("received 1");

  subscriber = pyzmq("subscribe");  // the former is killed
  subscriber->expect("received");

  publisher->kill_asleep();
  publisher = run("adapters/iceoryx/native_icedelivery_publisher", {});
  subscriber->expect("received 90");  // no program sends its first value again: so this is the new one's

  carrier.reset();
  carrier = bridge(radar, fmt::format("zmq+{}", feed));
  std::uint64_t carried = 0;
  do {
    subscriber->expect("received");
    carried = number_behind(account_of(*carrier), "carried ");
  } while (carried == 0);
  // And the subscriber, which was connected to the former bridge, receives it.
  for (std::uint64_t count = 0; count < carried; ++count) subscriber->expect("received");
  EXPECT_THAT(end(*carrier), HasSubstr("lost 0, dropped 0, unfit 0"));
}

TEST_F(NativePeers, SamplesOfAPyzmqProgramReachAnIceoryxProgramAndARoudiThatDiesIsAnnounced) {
  start_roudi();
  Peer publisher = pyzmq("publish");
  Peer carrier = bridge(fmt::format("zmq+{}", feed), radar);
  {
    Peer subscriber = run("adapters/iceoryx/native_icedelivery_subscriber", {});
    subscriber->expect("got value: ");
  }
  roudi_.reset();
  carrier->expect("gone; what is sent until it is back is lost uncounted");
  start_roudi();
  carrier->expect("both sides are there again");
  Peer subscriber = run("adapters/iceoryx/native_icedelivery_subscriber", {});
  const std::uint64_t before = number_behind(subscriber->expect("got value: "), "got value: ");
  publisher.reset();
  publisher = pyzmq("publish");
  while (number_behind(subscriber->expect("got value: "), "got value: ") >= before) {
  }
  EXPECT_THAT(end(*carrier), HasSubstr("1 returns"));
}

TEST_F(NativePeers, ARouteWithBothSidesOnIceoryxComesBackWithRoudiAndCarriesWhatHadCome) {
  start_roudi();
  Peer carrier = bridge("iceoryx://A/B/C?policy=lossless&depth=8", "iceoryx://A/B/D?grant=block");
  Peer subscriber = run("adapters/iceoryx/peer", {"subscribe", "iceoryx://A/B/D?policy=lossless&depth=1"});
  subscriber->expect("ready");
  Peer publisher = run("adapters/iceoryx/peer", {"publish", "iceoryx://A/B/C?grant=block"});
  subscriber->expect("at ");
  while (number_behind(account_of(*carrier), "carried ") == 0) {
  }
  // RouDi monitors nobody here. The bridge is held back, with messages in its queue and one in hand.
  subscriber->signal(SIGSTOP);
  for (std::uint64_t before = 0, now = 1; before != now;) {
    before = now;
    now = number_behind(account_of(*carrier), "carried ");
  }
  roudi_.reset();
  carrier->expect("gone; what is sent until it is back is lost uncounted");
  start_roudi();
  carrier->expect("both sides are there again");
  const std::uint64_t before = number_behind(account_of(*carrier), "carried ");
  publisher = run("adapters/iceoryx/peer", {"publish", "iceoryx://A/B/C?grant=block"});
  while (number_behind(account_of(*carrier), "carried ") <= before + 100) {
  }
  EXPECT_THAT(end(*carrier), HasSubstr("1 returns"));
}

TEST_F(NativePeers, MessagesOfAStaticallyLinkedProgramReachSharedMemoryInOrder) {
  Peer publisher = run("adapters/bridge/static_peer", {"ipc:///tmp/static"});
  publisher->expect("ready");
  std::ifstream mapped(fmt::format("/proc/{}/maps", publisher->pid()));
  const std::string maps{std::istreambuf_iterator<char>(mapped), {}};
  EXPECT_THAT(maps, Not(HasSubstr("libzmq"))) << "the peer is not linked statically";
  auto node = Node::open();
  auto subscriber = node->subscriber("shm://fed?policy=lossless");
  ASSERT_TRUE(subscriber) << subscriber.error().message();
  Peer carrier = bridge("zmq+ipc:///tmp/static", "shm://fed?grant=block");
  std::optional<std::uint64_t> last;
  int starts = 0;
  for (int received = 0; received < 60; ++received) {
    Sample sample;
    while (!sample) {
      ASSERT_EQ(*subscriber->wait(after(std::chrono::seconds(60))), Wake::ready);
      sample = std::move(*subscriber->take());
    }
    const std::string text(reinterpret_cast<const char*>(sample.payload().data()), sample.payload().size());
    const std::uint64_t number = number_behind(text, "message ");
    EXPECT_EQ(sample.lost_before(), 0U);
    if (last && number != *last + 1) ++starts;
    last = number;
    if (received == 20) {
      publisher.reset();
      publisher = run("adapters/bridge/static_peer", {"ipc:///tmp/static"});
    }
    if (received == 40) {
      carrier.reset();
      carrier = bridge("zmq+ipc:///tmp/static", "shm://fed?grant=block");
    }
  }
  EXPECT_LE(starts, 2) << "a gap that no start explains";
}

TEST_F(NativePeers, ATakenNameAndACircleAreClearErrorsOfTheProgram) {
  const Peer first = bridge("shm://a", "zmq+ipc:///tmp/taken");
  const Peer taken = run("adapters/bridge/weir-bridge", {"--route", "shm://b", "zmq+ipc:///tmp/taken"});
  EXPECT_THAT(taken->expect("weir-bridge: "), HasSubstr("/tmp/taken"));
  EXPECT_THAT(taken->ending(), HasSubstr("exited with 1"));
  const Peer circle = run("adapters/bridge/weir-bridge", {"--route", "zmq+ipc:///tmp/taken", "shm://a"});
  EXPECT_THAT(circle->expect("weir-bridge: "),
              HasSubstr(fmt::format("process {} carries shm://a -> zmq+ipc:///tmp/taken", first->pid())));
  EXPECT_THAT(circle->ending(), HasSubstr("exited with 1"));
}

}  // namespace
}  // namespace weir::bridge
