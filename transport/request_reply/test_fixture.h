// What the tests of requests and replies have in common: both sides in one process, over shm and inproc.
#pragma once

#include <atomic>
#include <chrono>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "conformance/performance/temporary_root.h"
#include "transport/request_reply/replier.h"
#include "transport/request_reply/requester.h"

namespace weir::request_reply {

using namespace std::chrono_literals;

inline Deadline soon() { return after(30s); }  // only a watchdog

template <class Value>
Value must(Result<Value> result) {
  if (!result) throw std::runtime_error(result.error().message());
  if constexpr (!std::is_void_v<Value>) return std::move(*result);
}

inline std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }
inline std::string text(std::span<const std::byte> payload) {
  return {reinterpret_cast<const char*>(payload.data()), payload.size()};
}

// Answers "x" by "x!", and counts.
struct Exclaim {
  std::atomic<int>& calls;
  Result<std::vector<std::byte>> operator()(std::span<const std::byte> request) const {
    ++calls;
    const std::string answer = text(request) + "!";
    return std::vector<std::byte>(bytes(answer).begin(), bytes(answer).end());
  }
};

class RequestReply : public ::testing::TestWithParam<const char*> {
 protected:
  [[nodiscard]] std::string requests(const std::string& options = "") const {
    return std::string(GetParam()) + "://requests" + options;
  }
  [[nodiscard]] std::string replies(const std::string& options = "") const {
    return std::string(GetParam()) + "://replies" + options;
  }
  [[nodiscard]] Replier replier(const ReplierOptions& options = {}, const std::string& requests_options = "",
                                const std::string& replies_options = "") {
    return must(Replier::open(node_, requests(requests_options), replies(replies_options), options));
  }
  [[nodiscard]] Requester requester(std::chrono::nanoseconds retry_interval = 10ms) {
    return must(Requester::open(node_, requests(), replies(), {.retry_interval = retry_interval}));
  }
  // Serves on a thread until the end of the scope.
  [[nodiscard]] std::jthread serve(Replier& replier, const Replier::Handler& handler) {
    return std::jthread([&replier, handler](const std::stop_token& stop) {
      while (must(replier.serve(handler, never, stop)) == Wake::ready) {
      }
    });
  }

  const performance::TemporaryRoot root_;
  Node node_ = must(Node::open());
  std::atomic<int> calls_{0};
};

}  // namespace weir::request_reply
