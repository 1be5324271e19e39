// The floor of every spinning one-way time: a cache line that one process
// writes and the other looks at.
//
// One line for both ways is written by both in turn: a processor may hand it
// over whole to whoever reads it, ready to be written. That is the least there
// is, but no queue can be like that, since each of its lines has one writer.
// One line each way is what a queue without payload would be: its writer must
// get it back from the reader first. Targets are ratios to that.
//
// It carries no payload, so fill and use get an empty one.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "conformance/performance/peers/peer.h"
#include "conformance/performance/shared_memory.h"

namespace weir::performance {

class CacheLine {
  // Two lines apart, as processors fetch lines in pairs.
  struct Line {
    alignas(128) std::atomic<std::uint64_t> turn{0};  // odd: `there` came last; even: `back`
  };

 public:
  enum class Lines : std::uint8_t { one_for_both_ways, one_each_way };
  explicit CacheLine(Lines lines) : shared_(lines == Lines::one_for_both_ways) {}

  class Sender {
   public:
    Sender(Line& line, Direction direction) : line_(&line), next_(direction == Direction::there ? 1 : 2) {}
    void await_receivers(std::uint64_t /*count*/) const noexcept {}
    template <class Fill>
    bool try_send(std::size_t /*size*/, Fill fill) {
      fill(std::span<std::byte>());
      line_->turn.store(next_, std::memory_order_release);
      next_ += 2;
      return true;
    }

   private:
    Line* line_;
    std::uint64_t next_;
  };

  class Receiver {
   public:
    Receiver(const Line& line, Direction direction) : line_(&line), next_(direction == Direction::there ? 1 : 2) {}
    void wait() const noexcept {}
    template <class Use>
    bool try_receive(Use use) {
      if (line_->turn.load(std::memory_order_acquire) != next_) {
        return false;
      }
      use(std::span<const std::byte>());
      next_ += 2;
      return true;
    }

   private:
    const Line* line_;
    std::uint64_t next_;
  };

  [[nodiscard]] Sender sender(Lane lane) const noexcept { return {line(lane), lane.direction}; }
  [[nodiscard]] Receiver receiver(Lane lane) const noexcept { return {line(lane), lane.direction}; }

 private:
  [[nodiscard]] Line& line(Lane lane) const noexcept {
    return (*lines_)[shared_ ? 0 : static_cast<std::size_t>(lane.direction)];
  }
  SharedMemory<std::array<Line, 2>> lines_;
  bool shared_;
};

static_assert(Carrier<CacheLine>);

}  // namespace weir::performance
