// A script for peers that are killed while they join or leave (script.h).
//
//   peer.begin_run("come_and_go", uri);
//   peer.wait_for_events(…);
//   peer.kill();
#pragma once

#include <cstdint>
#include <string>

#include "conformance/harness/script.h"

namespace weir::conformance {

// Joins and leaves a topic in both roles, over and over, until it is halted or killed. Argument: the URI.
inline Outcome come_and_go(Actor& actor, const std::string& argument) {
  constexpr std::uint16_t first = 1000;
  while (!actor.log().asked_to_halt()) {
    for (const Operation operation : {Operation::open_subscriber, Operation::open_publisher}) {
      for (std::uint16_t port = first; port < first + 2; ++port) {
        Outcome opened = actor.perform({.operation = operation, .port = port, .text = argument});
        if (!opened) return opened;
      }
      for (std::uint16_t port = first; port < first + 2; ++port) {
        Outcome closed = actor.perform({.operation = Operation::close, .port = port});
        if (!closed) return closed;
      }
    }
  }
  return {};
}

inline const Script come_and_go_script("come_and_go", come_and_go);

}  // namespace weir::conformance
