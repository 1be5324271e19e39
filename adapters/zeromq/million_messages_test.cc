// The exchange of a million numbered messages that a well-known text shows with two pyzmq scripts, with weir in place
// of either script and of both. What PUB may lose is counted, never hidden.
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "adapters/zeromq/test_support.h"

namespace weir::zeromq {
namespace {

using namespace testing_support;

constexpr std::uint64_t million = 1'000'000;
constexpr std::string_view prefix = "Message ";

std::vector<std::string> script(const std::string& name, const std::string& endpoint, std::uint64_t count) {
  return {"/usr/bin/python3", data_file("adapters/zeromq/native/" + name), endpoint, std::to_string(count)};
}

std::uint64_t number_of(const Sample& sample) {
  const std::string message = text(sample.payload());
  std::uint64_t number = million;
  if (message.starts_with(prefix)) {
    std::from_chars(message.data() + prefix.size(), message.data() + message.size(), number);
  }
  EXPECT_EQ(message, fmt::format("{}{}", prefix, number));
  return number;
}

class MillionMessages : public ::testing::Test {
 protected:
  const ShortDirectory directory_;
  const std::string feed_ = directory_.ipc("my_ipc_socket");
  Node node_ = must(Node::open());
};

TEST_F(MillionMessages, AllReachTheNativeSubscriberWhenThePublisherBlocks) {
  Program subscriber(script("million_sub.py", feed_, messages_of_a_million()));
  Publisher publisher = must(node_.publisher("zmq+" + feed_ + "?grant=block&deadline=120s&depth=1000"));
  must(publisher.wait_for_subscribers(1, soon()));
  for (std::uint64_t number = 0; number < messages_of_a_million(); ++number) {
    ASSERT_EQ(must(publisher.send(bytes(fmt::format("{}{}", prefix, number)))), number);
  }
  EXPECT_EQ(subscriber.wait(), "") << "the script ends well only when it has received them all";
}

// A PUB socket says neither how many it drops nor that it does; only the messages' own numbers tell. It sends a million
// in any case: fewer might all be gone before the subscriber is connected.
TEST_F(MillionMessages, ThoseOfTheNativePublisherArriveInOrderAndEachThatIsMissingIsMissed) {
  Subscriber subscriber = must(node_.subscriber("zmq+" + feed_ + "?depth=100000"));
  EXPECT_FALSE(subscriber.capabilities().exact_loss) << "what cannot be counted is not promised";
  Program publisher(script("million_pub.py", feed_, million));
  std::uint64_t received = 0;
  std::uint64_t missing = 0;
  std::uint64_t expected = 0;
  const auto take_all = [&] {
    for (Sample sample = must(subscriber.take()); sample; sample = must(subscriber.take())) {
      const std::uint64_t number = number_of(sample);
      ASSERT_GE(number, expected) << "out of order, or twice";
      EXPECT_EQ(sample.lost_before(), 0U);
      missing += number - expected;
      expected = number + 1;
      ++received;
    }
  };
  const std::jthread reaper([&] { EXPECT_EQ(publisher.wait(), ""); });
  // The script closes with the linger of a native program, so what it has queued comes. If it has dropped the last one,
  // that is told by nothing but silence.
  while (expected < million &&
         must(subscriber.wait(after(std::chrono::seconds(received == 0 ? 60 : 3)))) == Wake::ready) {
    take_all();
  }
  missing += million - expected;
  EXPECT_EQ(received + missing, million);
  EXPECT_GT(received, 0U);
  fmt::print("native publisher, weir subscriber: {} received, {} lost by PUB\n", received, missing);
}

TEST_F(MillionMessages, BetweenWeirPeersEveryLossIsAnnouncedWhereItHappened) {
  const std::string uri = "zmq+" + feed_ + "?envelope=1&depth=1000";
  Subscriber subscriber = must(node_.subscriber(uri));
  Publisher publisher = must(node_.publisher(uri));
  must(publisher.wait_for_subscribers(1, soon()));
  std::uint64_t received = 0;
  std::uint64_t lost = 0;
  const auto take_all = [&] {
    for (Sample sample = must(subscriber.take()); sample; sample = must(subscriber.take())) {
      lost += sample.lost_before();
      ASSERT_EQ(number_of(sample), received + lost);
      ASSERT_EQ(sample.sequence(), received + lost);
      ++received;
    }
  };
  const auto send = [&](std::uint64_t number) { must(publisher.send(bytes(fmt::format("{}{}", prefix, number)))); };
  std::atomic<bool> done{false};
  std::jthread sender([&] {
    for (std::uint64_t number = 0; number < messages_of_a_million(); ++number) send(number);
    done = true;
  });
  while (!done) {
    must(subscriber.wait(after(std::chrono::milliseconds(10))));
    take_all();
  }
  sender.join();
  // What was lost last is announced by the next that comes through.
  for (std::uint64_t number = messages_of_a_million(); received + lost <= messages_of_a_million(); ++number) {
    send(number);
    must(subscriber.wait(after(std::chrono::milliseconds(100))));
    take_all();
    ASSERT_LT(number, 2 * messages_of_a_million());
  }
  fmt::print("weir to weir with envelopes: {} received, {} announced lost\n", received, lost);
}

}  // namespace
}  // namespace weir::zeromq
