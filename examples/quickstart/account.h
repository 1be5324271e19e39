// What a subscriber received, and whether it is what it should have received.
//
// Thread safety: values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace quickstart {

// A subscriber's running account. Its process reports it again and again, so that the account of a killed one is known
// up to shortly before its death. Plain bytes, for the way through a pipe.
struct Account {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t lost = 0;        // as announced by lost_before()
  std::uint64_t first = 0;       // the sequence number at which the account begins, lost or not
  std::uint64_t next = 0;        // the sequence number after the last one received
  std::uint64_t disordered = 0;  // samples that were not the next one after the announced loss
  std::uint64_t different = 0;   // messages whose bytes are not the file's
  std::uint64_t at_once = 0;     // samples that were there together when it looked first
  std::uint32_t checksum = 0;    // of all bytes in a row; only for who must receive the whole file
  std::uint64_t paused = 0;      // nanoseconds that a publisher has slept to keep its pace
};

// What was published.
struct Stream {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::uint32_t checksum = 0;  // of the file
};

// What is promised to a subscriber.
struct Expectation {
  bool lossless = false;                     // nothing may be lost
  bool whole_file = false;                   // all bytes of the file, from the first to the last
  bool to_the_end = true;                    // its account reaches the end of the stream; a killed one's does not
  std::optional<std::uint64_t> begins = {};  // the sequence number at which its account begins, where that is known
  std::uint64_t begins_at_the_earliest = 0;
  std::uint64_t history = 0;  // samples that must be there at once when it joins
};

// Everything in the account that breaks a promise, a sentence each; empty if all is well. The promise common to all:
// received and announced lost together are exactly what was published from the account's beginning on.
[[nodiscard]] std::vector<std::string> broken_promises(const Account& account, const Expectation& expected,
                                                       const Stream& published);

}  // namespace quickstart
