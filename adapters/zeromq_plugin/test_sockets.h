// What the tests within one process have in common: topics of their own, and sockets by cppzmq.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <zmq.hpp>

#include "adapters/zeromq/test_support.h"

namespace weir::zmq_plugin {

class Sockets : public ::testing::Test {
 protected:
  // The watchdog: how long a receive waits for what must come.
  static constexpr std::chrono::milliseconds soon{60'000};

  // shm://NAME, in a directory of this test.
  [[nodiscard]] std::string shm(std::string_view name = "feed") const;
  [[nodiscard]] std::string ipc(std::string_view name) const { return directory_.ipc(name); }

  [[nodiscard]] zmq::socket_t make(zmq::socket_type type);
  [[nodiscard]] zmq::socket_t bound(zmq::socket_type type, const std::string& endpoint);
  [[nodiscard]] zmq::socket_t connected(zmq::socket_type type, const std::string& endpoint);
  // A SUB socket that has these subscriptions.
  [[nodiscard]] zmq::socket_t subscriber(const std::string& endpoint,
                                         std::initializer_list<std::string_view> prefixes = {""});

  const zeromq::testing_support::ShortDirectory directory_;
  zmq::context_t context_;
};

using Texts = std::vector<std::string>;

void send(zmq::socket_t& socket, std::string_view text);
void send(zmq::socket_t& socket, const Texts& frames);
// What comes next, waited for; or now, with zmq::recv_flags::dontwait. Empty if nothing came.
[[nodiscard]] std::string receive(zmq::socket_t& socket, zmq::recv_flags flags = zmq::recv_flags::none);
[[nodiscard]] Texts receive_frames(zmq::socket_t& socket);
[[nodiscard]] bool has_nothing(zmq::socket_t& socket);
// Whether a descriptor is readable, at the latest after the watchdog's time; or now.
[[nodiscard]] bool becomes_readable(int descriptor);
[[nodiscard]] bool is_readable(int descriptor);
// The errno of a call that fails; 0 if it does not.
template <class Call>
int error_of(Call&& call) {
  try {
    call();
  } catch (const zmq::error_t& error) {
    return error.num();
  }
  return 0;
}

// Ends when this thread sleeps in the kernel.
void until_asleep(pid_t thread);

// "\1prefix" and "\0prefix".
[[nodiscard]] std::string subscription(std::string_view prefix);
[[nodiscard]] std::string unsubscription(std::string_view prefix);

}  // namespace weir::zmq_plugin
