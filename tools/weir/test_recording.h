// Recordings that a test makes, and what is in them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tools/weir/test_program.h"
#include "transport/node.h"

namespace weir::tool::testing {

using Json = nlohmann::json;

inline std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }
inline std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class Recording : public ::testing::Test {
 protected:
  static Json describe(const std::string& path) {
    const Outcome outcome = run({"replay", path, "--describe", "--json"});
    EXPECT_EQ(outcome.status, 0) << outcome.errors;
    return Json::parse(outcome.output);
  }
  // Records so many messages "0", "1", … and ends in order.
  void record(int messages, const std::vector<std::string>& more = {}) {
    auto publisher = node_.publisher("shm://camera").value();
    std::vector<std::string> arguments{"record", "camera", "-o", path_, "-n", std::to_string(messages)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    Program recorder(arguments);
    ASSERT_TRUE(publisher.wait_for_subscribers(1, never));
    for (int message = 0; message < messages; ++message) {
      ASSERT_TRUE(publisher.send(bytes_of(std::to_string(message))));
    }
    ASSERT_EQ(recorder.end(), 0) << recorder.errors();
  }

  Node node_ = std::move(Node::open().value());
  PrivateRoot root_;
  std::string path_ = root_.path() + "/recording";
};

}  // namespace weir::tool::testing
