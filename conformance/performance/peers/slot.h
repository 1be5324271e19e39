// The floor of a queue whose every message has a word of its own, which is how readers can be told exactly what they
// lost: the word and up to 64 bytes in the next line. One such slot each way, for what a message takes that comes
// alone, or a ring of them, for streams. Between them and `cache line` or `raw ring` lies what a second line takes;
// between them and shm what shm's protocol takes.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "conformance/performance/peers/peer.h"
#include "conformance/performance/shared_memory.h"

namespace weir::performance {

// With one slot the users must take turns, as nothing asks whether it is free.
template <std::uint64_t capacity>
class Slots {
  struct Slot {
    alignas(128) std::atomic<std::uint64_t> word{0};  // the number of the last message, from 1
    alignas(64) std::array<std::byte, 64> bytes;
  };
  struct Ring {
    alignas(128) std::atomic<std::uint64_t> received{0};  // written by the receiver
    std::array<Slot, capacity> slots;
  };

 public:
  class Sender {
   public:
    explicit Sender(Ring& ring) : ring_(&ring) {}
    void await_receivers(std::uint64_t /*count*/) const noexcept {}
    template <class Fill>
    [[gnu::always_inline]] bool try_send(std::size_t size, Fill fill) {
      if constexpr (capacity > 1) {
        if (sent_ - received_ == capacity) {
          received_ = ring_->received.load(std::memory_order_acquire);
          if (sent_ - received_ == capacity) {
            return false;
          }
        }
      }
      Slot& slot = ring_->slots[sent_ % capacity];
      fill(std::span(slot.bytes).first(size));
      slot.word.store(++sent_, std::memory_order_release);
      return true;
    }

   private:
    Ring* ring_;
    std::uint64_t sent_ = 0;
    std::uint64_t received_ = 0;  // as last seen
  };

  class Receiver {
   public:
    explicit Receiver(Ring& ring) : ring_(&ring) {}
    void wait() const noexcept {}
    template <class Use>
    [[gnu::always_inline]] bool try_receive(Use use) {
      const Slot& slot = ring_->slots[received_ % capacity];
      if (slot.word.load(std::memory_order_acquire) != received_ + 1) {
        return false;
      }
      use(std::span<const std::byte>(slot.bytes));
      ++received_;
      if constexpr (capacity > 1) {
        ring_->received.store(received_, std::memory_order_release);
      }
      return true;
    }

   private:
    Ring* ring_;
    std::uint64_t received_ = 0;
  };

  [[nodiscard]] Sender sender(Lane lane) const noexcept { return Sender(ring(lane)); }
  [[nodiscard]] Receiver receiver(Lane lane) const noexcept { return Receiver(ring(lane)); }

 private:
  [[nodiscard]] Ring& ring(Lane lane) const noexcept { return (*rings_)[static_cast<std::size_t>(lane.direction)]; }
  SharedMemory<std::array<Ring, 2>> rings_;
};

static_assert(Carrier<Slots<1>>);

}  // namespace weir::performance
