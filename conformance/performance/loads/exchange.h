// Sending and receiving of numbered messages, which all loads have in common.
//
// Compiled into its caller, as an application would write it: calls of the benchmark's own would count as the peer's.
//
// A load is a function template that makes the crew of a measurement (crew.h)
// for a carrier (peers/peer.h) and a task. Carrier and meeting are made anew
// for every round, by the parent, so that each round has other memory.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "conformance/performance/batches.h"
#include "conformance/performance/content.h"
#include "conformance/performance/crew.h"
#include "conformance/performance/meeting.h"
#include "conformance/performance/peers/peer.h"
#include "conformance/performance/task.h"

namespace weir::performance {

// Sends a message with a number as soon as there is room, or gives up when
// `is_over` says so.
template <class Sender, class IsOver>
[[gnu::always_inline]] inline void send_unless(IsOver is_over, Sender& sender, Message message, std::uint64_t number) {
  const auto fill = [&](auto payload) {
    if (message.touch == Touch::everything) {
      write_number(payload, number);
    }
  };
  while (!sender.try_send(message.size, fill) && !is_over()) {
  }
}

template <class Sender>
[[gnu::always_inline]] inline void send(Sender& sender, Message message, std::uint64_t number) {
  send_unless([] { return false; }, sender, message, number);
}

// Takes the message with this number, if it is there.
template <class Receiver>
[[gnu::always_inline]] inline bool try_receive(Receiver& receiver, Message message, std::uint64_t number) {
  return receiver.try_receive([&](auto payload) {
    if (message.touch == Touch::everything) {
      check_number(payload, number);
    }
  });
}

// Takes the message with this number as soon as it comes.
template <class Receiver>
[[gnu::always_inline]] inline void receive(Receiver& receiver, const Task& task, std::uint64_t number) {
  if (task.blocking) {
    while (!try_receive(receiver, task.message, number)) {
      receiver.wait();
    }
  } else {
    while (!try_receive(receiver, task.message, number)) {
    }
  }
}

// Takes the next message, whose first word is its number, as soon as it comes.
template <class Receiver>
[[nodiscard, gnu::always_inline]] inline std::uint64_t receive_any(Receiver& receiver, const Task& task) {
  std::uint64_t number = 0;
  const auto use = [&](auto payload) {
    number = number_of(payload);
    check_number(payload, number);
  };
  while (!receiver.try_receive(use)) {
    if (task.blocking) {
      receiver.wait();
    }
  }
  return number;
}

}  // namespace weir::performance
