// What an endpoint of this backend says, put together from the URI, the common options and those that only ZeroMQ has.
//
//   zmq+tcp://*:5555?depth=1000&frames=topic         binds tcp://*:5555, connects to it as a subscriber
//   zmq+ipc:///tmp/feed?bind=subscriber&filter=a,b   the subscriber binds
//
//   option         whose        default      meaning
//   bind           both         publisher    who binds the endpoint; the other connects: publisher, subscriber, nobody
//   also_bind      both         none         further endpoints as ZeroMQ writes them, with commas: tcp://*:5556
//   also_connect   both         none         the same, to connect to
//   filter         subscriber   everything   prefixes of the first frame, with commas; \, is a comma and \\ a \.
//   frames         both         payload      payload, topic, table: see frames.h
//   envelope       both         0            1: a trailing frame with publisher, sequence and time: see envelope.h
//   alignment      subscriber   1            of payloads; where ZeroMQ delivers another one, they are copied
//   linger         publisher    1s           how long what is not sent yet goes on being sent after a close
//   curve          both         none         file with the own CURVE certificate: see curve.h
//   curve_server   both         none         file with the server's public key; without it, this side is the server
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "transport/endpoint.h"
#include "transport/membership.h"
#include "transport/qos.h"
#include "transport/status.h"

namespace weir::zeromq {

// How a message of several frames is a user header and a payload.
enum class Frames : std::uint8_t { payload, topic, table };

struct Options {
  std::string endpoint;              // the URI, for messages
  std::vector<std::string> bind;     // native endpoints
  std::vector<std::string> connect;  // native endpoints
  std::vector<std::string> filters;  // of a subscriber; never empty
  Frames frames = Frames::payload;
  bool envelope = false;
  std::size_t alignment = 1;
  std::chrono::milliseconds linger = std::chrono::seconds(1);
  std::string curve;         // path; empty: no CURVE
  std::string curve_server;  // path; empty: this side is the server
};

// The keys above.
[[nodiscard]] std::span<const std::string_view> option_keys() noexcept;

// Errors: invalid_argument, naming key and value.
[[nodiscard]] Result<Options> read_options(const Endpoint& endpoint, Role role, const ExtraOptions& extra);

// The value of one key in the URI alone; empty if it is not there. (What is promised may depend on it.)
[[nodiscard]] std::string_view option_in_uri(const Endpoint& endpoint, std::string_view key) noexcept;

}  // namespace weir::zeromq
