// What the adapter's tests begin with: a RouDi of their own in mounts of their own. roudi_test_main.cc is their main().
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/iceoryx/roudi_process.h"
#include "transport/node.h"

namespace weir::iceoryx {

// Only a watchdog: what is waited for comes in milliseconds, or in seconds where a native program sleeps.
inline constexpr std::chrono::seconds patience(60);

// The value, or the end of the test.
template <class Value>
Value must(Result<Value> result, std::string_view what) {
  if (!result) throw std::runtime_error(std::string(what) + ": " + result.error().message());
  if constexpr (!std::is_void_v<Value>) return std::move(*result);
}

class RoudiTest : public ::testing::Test {
 protected:
  void SetUp() override {
    start_roudi();
    node_.emplace(must(Node::open(), "opening a node"));
  }
  void TearDown() override {
    node_.reset();
    roudi_.reset();
  }

  void start_roudi() { roudi_ = must(RoudiProcess::start(pools(), monitors()), "starting RouDi"); }

  // Whether RouDi looks for the dead. It takes a process that gets no processor for 1.5 s for one, as may happen beside
  // other tests: only for tests of what it does then, which run alone.
  [[nodiscard]] virtual bool monitors() const { return false; }

  // Small: tests run side by side.
  [[nodiscard]] virtual std::vector<Pool> pools() const {
    return {{.payload = 256, .count = 1024}, {.payload = 65536, .count = 64}};
  }

  [[nodiscard]] Node& node() { return *node_; }
  [[nodiscard]] Publisher publisher(std::string_view uri, const PublisherOptions& options = {}) {
    return must(node_->publisher(uri, options), "opening a publisher");
  }
  [[nodiscard]] Subscriber subscriber(std::string_view uri, const SubscriberOptions& options = {}) {
    return must(node_->subscriber(uri, options), "opening a subscriber");
  }

  // The next sample, waited for.
  [[nodiscard]] static Sample next(Subscriber& subscriber) {
    while (true) {
      if (must(subscriber.wait(after(patience)), "wait") != Wake::ready) throw std::runtime_error("no sample came");
      if (Sample sample = must(subscriber.take(), "take")) return sample;
    }
  }

  std::unique_ptr<RoudiProcess> roudi_;
  std::optional<Node> node_;
};

}  // namespace weir::iceoryx
