// What one process of the example is to do: the conductor writes it, the process reads it from its
// command line (command_line.h).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "transport/qos.h"

namespace quickstart {

enum class Role : std::uint8_t { publisher, subscriber };

struct Task {
  Role role = Role::subscriber;
  std::string name;
  std::string uri;
  weir::SlowPolicy policy = weir::SlowPolicy::lossless;  // of a subscriber
  std::uint64_t depth = 1;
  std::uint64_t history = 0;
  std::chrono::milliseconds pause{0};  // how long a subscriber dwells on each message
  bool whole_file = false;             // whether a subscriber computes the checksum of all it receives
  std::uint64_t seed = 0;              // of a publisher's message sizes
  std::chrono::milliseconds pace{0};   // how long a publisher's stream lasts at least
  // Inherited descriptors.
  int source = -1;
  int reports = -1;
  int commands = -1;
  pid_t conductor = 0;  // the process dies with this one
};

}  // namespace quickstart
