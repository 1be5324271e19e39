// Shorthand for tests of the interface over inproc://.
//
//   weir::Publisher publisher = must(node.publisher("inproc://t"));      // an error fails the test, with its message
//   EXPECT_TRUE(fails(node.publisher("inproc://"), ErrorCode::invalid_argument, {"empty"}));
//   must(publisher.send(bytes("hello")));
#pragma once

#include <poll.h>

#include <chrono>
#include <initializer_list>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "transport/node.h"

namespace weir::testing_support {

// The watchdog: how long a test waits for what must come. Nothing is decided by it but failure.
inline Deadline soon() { return after(std::chrono::seconds(60)); }

template <class Value>
Value must(Result<Value> result) {
  if (!result) {
    throw std::runtime_error(std::string(to_string(result.error().code())) + ": " + result.error().message());
  }
  if constexpr (!std::is_void_v<Value>) {
    return std::move(*result);
  }
}

// Whether a call failed with this code, and with all these words in its message.
template <class Value>
::testing::AssertionResult fails(const Result<Value>& result, ErrorCode code,
                                 std::initializer_list<std::string_view> words = {}) {
  if (result) {
    return ::testing::AssertionFailure() << "it succeeded, " << to_string(code) << " was expected";
  }
  const Error& error = result.error();
  if (error.code() != code) {
    return ::testing::AssertionFailure() << to_string(error.code()) << " instead of " << to_string(code) << ": "
                                         << error.message();
  }
  for (const std::string_view word : words) {
    if (error.message().find(word) == std::string::npos) {
      return ::testing::AssertionFailure() << "\"" << word << "\" is not named in: " << error.message();
    }
  }
  return ::testing::AssertionSuccess();
}

inline std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

inline std::string text(std::span<const std::byte> payload) {
  return {reinterpret_cast<const char*>(payload.data()), payload.size()};
}

// One sample as tests compare it: the payload, with "+n" before it if n samples were lost there.
inline std::string shown(const Sample& sample) {
  return (sample.lost_before() > 0 ? "+" + std::to_string(sample.lost_before()) + " " : "") + text(sample.payload());
}

// Takes until there is nothing more.
inline std::vector<std::string> take_all(Subscriber& subscriber) {
  std::vector<std::string> all;
  for (Sample sample = must(subscriber.take()); sample; sample = must(subscriber.take())) {
    all.push_back(shown(sample));
  }
  return all;
}

inline bool readable(int descriptor) {
  pollfd one{descriptor, POLLIN, 0};
  return ::poll(&one, 1, 0) == 1;
}

// Every test begins and ends without topics.
class InprocTest : public ::testing::Test {
 public:
  InprocTest(const InprocTest&) = delete;
  InprocTest& operator=(const InprocTest&) = delete;
  ~InprocTest() override { EXPECT_TRUE(must(node.topics("inproc://")).empty()); }

 protected:
  InprocTest() { EXPECT_TRUE(must(node.topics("inproc://")).empty()); }

  Node node = must(Node::open());  // NOLINT(readability-identifier-naming): for the bodies of the tests
};

}  // namespace weir::testing_support
