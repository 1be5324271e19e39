// What a peer did and what came of it, one event at a time.
//
// Every scripted peer writes events as it works; the checkers of check.h judge them afterwards. An event is a plain
// value without pointers, so that it can lie in memory that outlives its writer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "transport/membership.h"

namespace weir::conformance {

enum class EventKind : std::uint8_t {
  opened_publisher,   // peer: the handle's own id
  opened_subscriber,  // peer: the handle's own id
  closed,             // the handle was destroyed
  publishing,         // publish is about to be called with this message
  published,          // publish returned this sequence
  held_back,          // publish returned back_pressure
  dropped,            // a loan was dropped unpublished
  taken,              // take returned this sample
  released,           // a sample is about to be released; faults: of its bytes, read once more
  waiting,            // a call that waits is about to be made
  woke,               // it returned; code: the Wake
  woke_for_nothing,   // a wait returned `ready`, but take came back empty
  subscribers_there,  // wait_for_subscribers returned well; size: the count asked for, sequence: the next to be
                      // published
  joined,             // a membership event; peer: who
  left,
  died,
  listed,  // peers() named this peer
  failed,  // a call returned an error other than back_pressure; code: the ErrorCode
};

// What is wrong with a sample, judged from the sample alone.
enum Fault : std::uint32_t {
  payload_fault = 1U << 0U,    // some byte is not what this publisher wrote into this message
  header_fault = 1U << 1U,     // the same for the user header, its size included
  origin_fault = 1U << 2U,     // the message was written by another publisher than the sample says
  number_fault = 1U << 3U,     // the message was written under another sequence than the sample says
  alignment_fault = 1U << 4U,  // the payload is not aligned as asked for
  time_fault = 1U << 5U,       // the publish time is later than the take, or earlier than that of a sample before
};

struct Event {
  EventKind kind = EventKind::failed;
  std::uint8_t code = 0;
  std::uint16_t port = 0;  // which of the peer's handles
  std::uint32_t faults = 0;
  PeerId peer = 0;  // of a message: its publisher
  std::uint64_t sequence = 0;
  std::uint64_t lost_before = 0;
  std::uint64_t size = 0;
  std::uint64_t header_size = 0;
  std::int64_t time = 0;  // CLOCK_MONOTONIC, nanoseconds, when the event was written
};

// For people: a word or two, and one line.
[[nodiscard]] std::string_view name_of(EventKind kind);
[[nodiscard]] std::string to_string(const Event& event);

}  // namespace weir::conformance
