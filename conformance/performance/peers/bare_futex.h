// The floor of every blocking time: a word for each direction, and a futex to
// sleep and wake on.
//
// It carries no payload, so fill and use get an empty one.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "conformance/performance/futex.h"
#include "conformance/performance/peers/peer.h"
#include "conformance/performance/shared_memory.h"

namespace weir::performance {

class BareFutex {
  struct Line {
    alignas(64) std::atomic<std::uint32_t> sent{0};
  };

 public:
  BareFutex() = default;
  explicit BareFutex(const Task& /*task*/) {}

  class Sender {
   public:
    explicit Sender(Line& line) : line_(&line) {}
    void await_receivers(std::uint64_t /*count*/) const noexcept {}
    template <class Fill>
    bool try_send(std::size_t /*size*/, Fill fill) {
      fill(std::span<std::byte>());
      line_->sent.fetch_add(1, std::memory_order_seq_cst);
      futex_wake(line_->sent);
      return true;
    }

   private:
    Line* line_;
  };

  class Receiver {
   public:
    explicit Receiver(const Line& line) : line_(&line) {}
    void wait() const noexcept { futex_wait(line_->sent, received_); }
    template <class Use>
    bool try_receive(Use use) {
      if (line_->sent.load(std::memory_order_acquire) == received_) {
        return false;
      }
      use(std::span<const std::byte>());
      ++received_;
      return true;
    }

   private:
    const Line* line_;
    std::uint32_t received_ = 0;
  };

  [[nodiscard]] Sender sender(Lane lane) const noexcept { return Sender(line(lane)); }
  [[nodiscard]] Receiver receiver(Lane lane) const noexcept { return Receiver(line(lane)); }

 private:
  [[nodiscard]] Line& line(Lane lane) const noexcept { return (*lines_)[static_cast<std::size_t>(lane.direction)]; }
  SharedMemory<std::array<Line, 2>> lines_;
};

static_assert(Carrier<BareFutex>);

}  // namespace weir::performance
