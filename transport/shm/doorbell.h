// Waking who sleeps, and only who sleeps.
//
// Protocol. A subscriber that is about to sleep makes itself counted (SharedCounters::sleepers), reads the bell, arms
// its `asleep` word with a new generation, looks at every slot, and only then waits for the bell to change. A
// publisher, after it has published, looks at `sleepers`; if somebody may sleep it looks at the `asleep` words, raises
// the bell for generations that it has not rung for yet, and wakes. A publisher that waits for space does the same with
// its `want` word and the bell's twin; while `want` is set, subscribers ring it when a quarter of the depth has
// become free, before they sleep, and for a token after each take; the publisher looks by itself after a short slice.
// One that waits for space names who is furthest behind: before that one has taken more nobody else can help it, and
// each ring of the others would cost it two switches.
//
// For event loops a FIFO stands in for the futex: the generation is marked, and who rings writes a token to the FIFO.
//
// Memory order. All of these words are sequentially consistent on both sides, so either the ringer sees the sleeper, or
// the sleeper, looking after it has armed, sees what the ringer did (Dekker's argument; docs/model, m4).
//
// If the process dies here. A dead sleeper leaves its word armed and the count too high: ringers look in vain, nothing
// else. A ringer that dies between its sample and the bell leaves a sleeper without its wake-up: hence sleepers look
// again after a slice of their wait.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>

#include "transport/deadline.h"
#include "transport/shm/file.h"
#include "transport/shm/layout.h"
#include "transport/shm/names.h"
#include "transport/shm/topic_directory.h"

namespace weir::shm {

// What an `asleep` or `want` word says: 0 awake, else a generation and how to wake.
enum class WakeBy : std::uint64_t { futex = 0, token = 1 };

[[nodiscard]] constexpr std::uint64_t armed_word(std::uint64_t generation, WakeBy by) noexcept {
  return generation * 2 + static_cast<std::uint64_t>(by);
}
[[nodiscard]] constexpr bool wants_token(std::uint64_t armed) noexcept { return armed % 2 != 0; }

// Raises a bell and wakes all who sleep on it, in whatever process.
void ring(Word<std::uint32_t>& bell) noexcept;

// Sleeps until the bell differs from `seen`, the deadline passes, or the slice ends; may return early. True: nobody
// woke us before deadline or slice ended.
bool sleep_on(const Word<std::uint32_t>& bell, std::uint32_t seen, Deadline deadline,
              std::chrono::nanoseconds slice) noexcept;

// A FIFO of tokens that makes its owner's descriptor readable.
class TokenFifo {
 public:
  // The owner's end: made under this name in the topic's directory. Errors: resource_exhausted, permission_denied.
  [[nodiscard]] static Result<TokenFifo> make(const TopicDirectory& topic, const std::string& name,
                                              std::string_view what);

  [[nodiscard]] int descriptor() const noexcept { return fifo_.get(); }
  // Takes all tokens out.
  void drain() noexcept;
  // Writes a token; a full FIFO is readable already.
  void write() noexcept;

  TokenFifo() = default;
  explicit operator bool() const noexcept { return static_cast<bool>(fifo_); }

 private:
  explicit TokenFifo(File fifo) : fifo_(std::move(fifo)) {}
  File fifo_;
};

// Leaves a token behind where an exception ends the scope, in which the descriptor was not armed: readable without
// cause is allowed, unreadable with one is not.
class ReadableAfterFailure {
 public:
  explicit ReadableAfterFailure(TokenFifo& tokens) noexcept : tokens_(tokens) {}
  ReadableAfterFailure(const ReadableAfterFailure&) = delete;
  ReadableAfterFailure& operator=(const ReadableAfterFailure&) = delete;
  ~ReadableAfterFailure() {
    if (tokens_ && std::uncaught_exceptions() > exceptions_) {
      tokens_.write();
    }
  }

 private:
  TokenFifo& tokens_;
  const int exceptions_ = std::uncaught_exceptions();
};

// Writes a token to the wake FIFO of another, opened for reading and writing, so that its end is no SIGPIPE.
void put_token(const File& fifo) noexcept;

// The life FIFO of another in an epoll set. It is taken out before it is closed: a child that was forked meanwhile has
// it open too, and would keep its hang-up in the set (epoll(7)).
class WatchedLife {
 public:
  WatchedLife() = default;
  WatchedLife(File fifo, int epoll) noexcept : fifo_(std::move(fifo)), epoll_(epoll) {}
  WatchedLife(WatchedLife&& other) noexcept = default;
  WatchedLife& operator=(WatchedLife&& other) noexcept {
    std::swap(fifo_, other.fifo_);
    std::swap(epoll_, other.epoll_);
    return *this;
  }
  WatchedLife(const WatchedLife&) = delete;
  WatchedLife& operator=(const WatchedLife&) = delete;
  ~WatchedLife();

  explicit operator bool() const noexcept { return static_cast<bool>(fifo_); }
  [[nodiscard]] const File& fifo() const noexcept { return fifo_; }

 private:
  File fifo_;
  int epoll_ = -1;
};

// Opens the life FIFO of another and adds it to an epoll set, which then shows its owner's death as a hang-up. Empty if
// the FIFO is gone or descriptors are short: then only the lock tells. Who calls this tests the lock afterwards, since
// a death before the opening shows no hang-up.
[[nodiscard]] WatchedLife watch_life(int directory, SegmentName owner, int epoll);

// Whether a life FIFO that is watched has made room for that of a later owner: the hang-up comes before the kernel
// drops the lock, so that a locked segment whose FIFO has hung up may have an old owner that is still dying, or a new
// one.
[[nodiscard]] bool is_replaced(int directory, SegmentName owner, const WatchedLife& life);

}  // namespace weir::shm
