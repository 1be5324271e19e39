// What all loads have in common.
//
// A load is a function template that makes the two roles of a measurement (process_pair.h) for a peer (peers/peer.h).
// The peer and the meeting are made anew for every round, by the parent, so that each round has other memory.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "conformance/performance/content.h"

namespace weir::performance {

struct Message {
  std::size_t size = 64;
  Touch touch = Touch::nothing;
};

// About how long the measuring process takes for a round.
using Budget = std::chrono::nanoseconds;

// Sends a message with a number as soon as there is room, or gives up when `is_over` says so.
template <class Sender, class IsOver>
void send_unless(IsOver is_over, Sender& sender, Message message, std::uint64_t number) {
  const auto fill = [&](auto payload) {
    if (message.touch == Touch::everything) {
      write_number(payload, number);
    }
  };
  while (!sender.try_send(message.size, fill) && !is_over()) {
  }
}

template <class Sender>
void send(Sender& sender, Message message, std::uint64_t number) {
  send_unless([] { return false; }, sender, message, number);
}

// Takes the message with this number, if it is there.
template <class Receiver>
bool try_receive(Receiver& receiver, Message message, std::uint64_t number) {
  return receiver.try_receive([&](auto payload) {
    if (message.touch == Touch::everything) {
      check_number(payload, number);
    }
  });
}

}  // namespace weir::performance
