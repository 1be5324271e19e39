// The floor of a small message that carries something: its word and its payload in two neighbouring lines, one such
// slot each way, without a queue. Between them and `cache line` lies what a second line takes; between them and shm
// what shm's protocol takes.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "conformance/performance/peers/peer.h"
#include "conformance/performance/shared_memory.h"

namespace weir::performance {

class Slots {
  struct Slot {
    alignas(128) std::atomic<std::uint64_t> word{0};  // how many messages have come
    alignas(64) std::array<std::byte, 64> bytes;
  };

 public:
  class Sender {
   public:
    explicit Sender(Slot& slot) : slot_(&slot) {}
    void await_receivers(std::uint64_t /*count*/) const noexcept {}
    template <class Fill>
    [[gnu::always_inline]] bool try_send(std::size_t size, Fill fill) {
      fill(std::span(slot_->bytes).first(size));
      slot_->word.store(++sent_, std::memory_order_release);
      return true;
    }

   private:
    Slot* slot_;
    std::uint64_t sent_ = 0;
  };

  class Receiver {
   public:
    explicit Receiver(const Slot& slot) : slot_(&slot) {}
    void wait() const noexcept {}
    template <class Use>
    [[gnu::always_inline]] bool try_receive(Use use) {
      if (slot_->word.load(std::memory_order_acquire) == received_) {
        return false;
      }
      use(std::span<const std::byte>(slot_->bytes));
      ++received_;
      return true;
    }

   private:
    const Slot* slot_;
    std::uint64_t received_ = 0;
  };

  [[nodiscard]] Sender sender(Lane lane) const noexcept { return Sender(slot(lane)); }
  [[nodiscard]] Receiver receiver(Lane lane) const noexcept { return Receiver(slot(lane)); }

 private:
  [[nodiscard]] Slot& slot(Lane lane) const noexcept { return (*slots_)[static_cast<std::size_t>(lane.direction)]; }
  SharedMemory<std::array<Slot, 2>> slots_;
};

static_assert(Carrier<Slots>);

}  // namespace weir::performance
