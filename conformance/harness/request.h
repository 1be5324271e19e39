// What a test asks of a peer, and what the peer answers: one message each over a socket.
//
// A request is acknowledged by its reply, so what one peer did before is known to have happened when the next is asked.
// What a peer does meanwhile, sample by sample, goes to its EventLog.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "transport/deadline.h"
#include "transport/status.h"

namespace weir::conformance {

enum class Operation : std::uint8_t {
  hello,                 // value: the thread's id
  open_publisher,        // text: the URI; port: the number that it shall have; value: its PeerId
  open_subscriber,       // the same
  close,                 // the port, with what it has lent or holds, in that order or the other: see keep_samples
  publish,               // PublishScript; value: how many were published
  lend,                  // opens `count` loans of the script's size and keeps them; value: how many were granted
  drop,                  // drops all loans of the port, the one held back included
  take,                  // takes up to `count`; value: how many there were
  receive,               // ReceiveScript; value: how many were taken
  release,               // up to `count` held samples, the oldest first, each read once more
  wait,                  // for data or space; wake: why it ended
  wait_for_subscribers,  // count
  wait_until_taken,      // count: the sequence
  poll,                  // fd(); value: 1 if readable
  next_events,           // all there are, into the log; value: how many
  list_peers,            // into the log; value: how many
  run,                   // text: the name of a script of the test's own and, after a newline, its argument (script.h)
  exit,                  // ends the process without closing anything
};

// A deadline that can be sent: relative to when the peer makes the call.
class Patience {
 public:
  static constexpr std::int64_t by_option = std::numeric_limits<std::int64_t>::min();
  static constexpr std::int64_t for_ever = std::numeric_limits<std::int64_t>::max();

  constexpr Patience() = default;
  template <class Rep, class Period>
  // NOLINTNEXTLINE(google-explicit-constructor): a duration says how patient to be
  constexpr Patience(std::chrono::duration<Rep, Period> wait) : nanoseconds_(std::chrono::nanoseconds(wait).count()) {}
  [[nodiscard]] static constexpr Patience unbounded() { return Patience(std::chrono::nanoseconds(for_ever)); }

  // Empty: what the option `deadline` says.
  [[nodiscard]] std::optional<Deadline> deadline() const {
    if (nanoseconds_ == by_option) return std::nullopt;
    if (nanoseconds_ == for_ever) return never;
    return nanoseconds_ <= 0 ? at_once : after(std::chrono::nanoseconds(nanoseconds_));
  }

 private:
  std::int64_t nanoseconds_ = by_option;
};

enum class When : std::uint8_t {
  held_back_stop,   // back_pressure is the end and an error; the loan is kept for the next publish
  held_back_end,    // back_pressure is the end and no error
  held_back_retry,  // after back_pressure Publisher::wait, then another try
};

// A count for what goes on until it is halted or killed.
inline constexpr std::uint64_t endless = std::numeric_limits<std::uint64_t>::max();

struct PublishScript {
  std::uint64_t count = 1;
  std::uint64_t size = 64;
  std::uint64_t size_most = 0;  // above `size`: sizes are mixed from `size` to this
  std::uint64_t header_size = 0;
  std::uint64_t alignment = 8;
  Patience patience = {};
  When when = When::held_back_stop;
  bool quiet = false;  // only EventLog::progress() tells: for streams too long for the log
};

// How a receiver learns that there is something to take.
enum class WaitMethod : std::uint8_t { wait, poll, wait_set, spin };

// Takes until, from `publishers` publishers, all numbers below `next` were received or announced lost.
struct ReceiveScript {
  std::uint64_t publishers = 1;
  std::uint64_t next = 1;
  std::uint64_t hold = 0;  // keeps so many samples in hand while it goes on
  std::uint64_t alignment = 8;
  WaitMethod waiting = WaitMethod::wait;
};

struct Request {
  Operation operation = Operation::hello;
  std::uint16_t port = 0;
  bool keep_samples = false;  // of close: samples and loans stay; of take: samples are held
  std::uint64_t count = std::numeric_limits<std::uint64_t>::max();
  Patience patience = {};
  PublishScript publish = {};
  ReceiveScript receive = {};
  std::string text = {};
};

// The reply: what the call under test returned.
struct Outcome {
  bool good = true;
  ErrorCode code = ErrorCode::internal;  // unless good
  Wake wake = Wake::ready;
  std::uint64_t value = 0;
  std::string text = {};  // the error's message, or a script's answer

  explicit operator bool() const noexcept { return good; }
  [[nodiscard]] bool is(ErrorCode expected) const noexcept { return !good && code == expected; }

  [[nodiscard]] static Outcome of(std::uint64_t value) { return {.value = value}; }
  [[nodiscard]] static Outcome of(Wake wake) { return {.wake = wake}; }
  [[nodiscard]] static Outcome of(const Error& error, std::uint64_t value = 0) {
    return {.good = false, .code = error.code(), .value = value, .text = error.message()};
  }
};

// For people: "good, value 3" or the error.
[[nodiscard]] std::string to_string(const Outcome& outcome);
[[nodiscard]] std::string to_string(const Request& request);
[[nodiscard]] std::string_view to_string(Operation operation);

// One message each. False when the other end is gone.
[[nodiscard]] bool send(int socket, const Request& request);
[[nodiscard]] bool receive(int socket, Request& request);
[[nodiscard]] bool send(int socket, const Outcome& outcome);
[[nodiscard]] bool receive(int socket, Outcome& outcome);

}  // namespace weir::conformance
