// Unmodified ZeroMQ programs, in three languages, on either side, directly and through a proxy.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "adapters/zeromq/test_support.h"

namespace weir::zeromq {
namespace {

using namespace testing_support;

// The messages that the native programs send and expect: native/peer_c.c.
constexpr std::array<std::size_t, 6> sizes{8, 64, 1000, 4096, 65536, 1048576};
constexpr std::uint64_t several = 10 * sizes.size();

std::vector<std::byte> content(std::uint64_t number) {
  std::vector<std::byte> bytes(sizes.at(number % sizes.size()));
  std::memcpy(bytes.data(), &number, sizeof(number));
  for (std::size_t at = sizeof(number); at < bytes.size(); ++at) bytes[at] = static_cast<std::byte>(number + at);
  return bytes;
}

// The number of a message, once all its bytes are found right.
std::uint64_t number_of(std::span<const std::byte> payload) {
  std::uint64_t number = 0;
  if (payload.size() < sizeof(number)) throw std::runtime_error("a message that is too short");
  std::memcpy(&number, payload.data(), sizeof(number));
  const auto right = content(number);
  if (!std::equal(payload.begin(), payload.end(), right.begin(), right.end())) {
    throw std::runtime_error(fmt::format("message {} has wrong bytes", number));
  }
  return number;
}

std::string topic_of(std::uint64_t number) { return number % 2 == 0 ? "even" : "odd"; }

class NativeInterop : public ::testing::TestWithParam<std::string> {
 protected:
  // The native program in the language of the test, with these arguments.
  static std::vector<std::string> native(std::initializer_list<std::string> arguments) {
    std::vector<std::string> words;
    if (GetParam() == "pyzmq") {
      words = {"/usr/bin/python3", data_file("adapters/zeromq/native/peer_pyzmq.py")};
    } else {
      words = {data_file("adapters/zeromq/native/peer_" + GetParam())};
    }
    words.insert(words.end(), arguments);
    return words;
  }
  static std::vector<std::string> proxy(const std::string& frontend, const std::string& backend) {
    return {data_file("adapters/zeromq/native/peer_c"), "proxy", frontend, backend};
  }

  const ShortDirectory directory_;
  Node node_ = must(Node::open());
};

INSTANTIATE_TEST_SUITE_P(Languages, NativeInterop, ::testing::Values("c", "cppzmq", "pyzmq"),
                         [](const auto& test) { return test.param; });

TEST_P(NativeInterop, ANativePublisherIsHeardWholeAndInOrder) {
  for (const bool weir_binds : {false, true}) {
    const std::string feed = directory_.ipc(weir_binds ? "a" : "b");
    Subscriber subscriber =
        must(node_.subscriber("zmq+" + feed + "?depth=100" + (weir_binds ? "&bind=subscriber" : "")));
    Program publisher(native({"publish", weir_binds ? "connect" : "bind", feed, "plain"}));
    std::uint64_t above = 0;
    for (std::uint64_t count = 0; count < several; ++count) {
      const Sample sample = next(subscriber);
      const std::uint64_t number = number_of(sample.payload());
      EXPECT_GE(number, above);
      EXPECT_TRUE(sample.header().empty());
      above = number + 1;
    }
    publisher.end_input();
    EXPECT_EQ(publisher.wait(), "");
  }
}

TEST_P(NativeInterop, ANativeSubscriberHearsEverythingWholeAndInOrder) {
  for (const bool weir_binds : {true, false}) {
    const std::string feed = directory_.ipc(weir_binds ? "a" : "b");
    Program subscriber(
        native({"subscribe", weir_binds ? "connect" : "bind", feed, "plain", std::to_string(several), ""}));
    Publisher publisher =
        must(node_.publisher("zmq+" + feed + "?grant=block&deadline=60s" + (weir_binds ? "" : "&bind=nobody")));
    must(publisher.wait_for_subscribers(1, soon()));
    for (std::uint64_t number = 0; number < several; ++number) {
      EXPECT_EQ(must(publisher.send(content(number))), number);
    }
    EXPECT_EQ(subscriber.wait(), "");
  }
}

TEST_P(NativeInterop, TheTopicFrameIdiomWorksBothWaysWithPrefixes) {
  const std::string feed = directory_.ipc("out");
  Program odd(native({"subscribe", "connect", feed, "topic", std::to_string(several / 2), "odd"}));
  Program all(native({"subscribe", "connect", feed, "topic", std::to_string(several), ""}));
  Publisher publisher = must(node_.publisher("zmq+" + feed + "?frames=topic&grant=block&deadline=60s"));
  must(publisher.wait_for_subscribers(2, soon()));
  for (std::uint64_t number = 0; number < several; ++number) {
    must(publisher.send(content(number), bytes(topic_of(number))));
  }
  EXPECT_EQ(odd.wait(), "");
  EXPECT_EQ(all.wait(), "");

  const std::string back = directory_.ipc("back");
  Program source(native({"publish", "bind", back, "topic"}));
  Subscriber even = must(node_.subscriber("zmq+" + back + "?frames=topic&filter=ev"));
  Subscriber both = must(node_.subscriber("zmq+" + back + "?frames=topic&filter=even,odd"));
  for (Subscriber* subscriber : {&even, &both}) {
    std::array<bool, 2> seen{};
    std::uint64_t above = 0;
    for (std::uint64_t count = 0; count < several; ++count) {
      const Sample sample = next(*subscriber);
      const std::uint64_t number = number_of(sample.payload());
      EXPECT_EQ(text(sample.header()), topic_of(number));
      EXPECT_GE(number, above);
      above = number + 1;
      seen.at(number % 2) = true;
    }
    EXPECT_EQ(seen[1], subscriber == &both);
  }
}

TEST_P(NativeInterop, ANativeProxyStandsBetween) {
  const std::string front = directory_.ipc("front");
  const std::string back = directory_.ipc("back");
  Program between(proxy(front, back));

  // From weir to a native program and to weir. A proxy passes equal subscriptions on only once, so they differ, and
  // both are known to be there.
  Program odd(native({"subscribe", "connect", back, "topic", std::to_string(several / 2), "odd"}));
  Subscriber even = must(node_.subscriber("zmq+" + back + "?frames=topic&filter=even&depth=1000"));
  {
    Publisher publisher = must(node_.publisher("zmq+" + front + "?bind=nobody&frames=topic"));
    must(publisher.wait_for_subscribers(2, soon()));
    for (std::uint64_t number = 0; number < several; ++number) {
      must(publisher.send(content(number), bytes(topic_of(number))));
    }
    EXPECT_EQ(odd.wait(), "");
    for (std::uint64_t number = 0; number < several; number += 2) {
      EXPECT_EQ(number_of(next(even).payload()), number);
    }
  }

  // From a native program to weir.
  Program source(native({"publish", "connect", front, "topic"}));
  std::uint64_t above = 0;
  for (std::uint64_t count = 0; count < several; ++count) {
    const Sample sample = next(even);
    const std::uint64_t number = number_of(sample.payload());
    EXPECT_EQ(text(sample.header()), "even");
    EXPECT_GE(number, above);
    above = number + 1;
  }
}

}  // namespace
}  // namespace weir::zeromq
