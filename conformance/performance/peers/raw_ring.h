// The least that a queue can cost: a ring of messages of one size for one
// sender and one receiver, without anything that a transport has to add. Each
// side keeps the other's index in a copy and reads it again only when that says
// full or empty (as rigtorp::SPSCQueue does), so a lane in flow moves few lines
// that do not carry messages.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "conformance/performance/failure.h"
#include "conformance/performance/peers/peer.h"
#include "conformance/performance/shared_memory.h"

namespace weir::performance {

template <std::size_t message_size>
class RawRing {
 public:
  static constexpr std::uint64_t capacity = message_size <= std::size_t{64} * 1024 ? 256 : 16;
  RawRing() = default;
  explicit RawRing(const Task& task) : size_(task.message.size) {}

 private:
  struct alignas(64) Message {
    std::array<std::byte, message_size> bytes;
  };
  // Two lines apart, as processors fetch lines in pairs.
  struct alignas(128) Index {
    std::atomic<std::uint64_t> value{0};
  };
  struct Ring {
    Index sent;      // written by the sender
    Index received;  // written by the receiver
    alignas(128) std::array<Message, capacity> messages;
  };

 public:
  class Sender {
   public:
    explicit Sender(Ring& ring) : ring_(&ring) {}
    void await_receivers(std::uint64_t /*count*/) const noexcept {}
    template <class Fill>
    [[gnu::always_inline]] bool try_send(std::size_t size, Fill fill) {
      if (size > message_size) [[unlikely]] {
        fail("this raw ring carries up to " + std::to_string(message_size) + " bytes: take a smaller message");
      }
      if (sent_ - received_ == capacity) {
        received_ = ring_->received.value.load(std::memory_order_acquire);
        if (sent_ - received_ == capacity) {
          return false;
        }
      }
      fill(std::span(ring_->messages[sent_ % capacity].bytes).first(size));
      ring_->sent.value.store(++sent_, std::memory_order_release);
      return true;
    }

   private:
    Ring* ring_;
    std::uint64_t sent_ = 0;
    std::uint64_t received_ = 0;  // as last seen
  };

  class Receiver {
   public:
    Receiver(Ring& ring, std::size_t size) : ring_(&ring), size_(size) {}
    void wait() const noexcept {}
    template <class Use>
    [[gnu::always_inline]] bool try_receive(Use use) {
      if (received_ == sent_) {
        sent_ = ring_->sent.value.load(std::memory_order_acquire);
        if (received_ == sent_) {
          return false;
        }
      }
      use(std::span<const std::byte>(ring_->messages[received_ % capacity].bytes).first(size_));
      ring_->received.value.store(++received_, std::memory_order_release);
      return true;
    }

   private:
    Ring* ring_;
    std::size_t size_;
    std::uint64_t received_ = 0;
    std::uint64_t sent_ = 0;  // as last seen
  };

  [[nodiscard]] Sender sender(Lane lane) const noexcept { return Sender(ring(lane)); }
  [[nodiscard]] Receiver receiver(Lane lane) const noexcept { return Receiver(ring(lane), size_); }

 private:
  [[nodiscard]] Ring& ring(Lane lane) const noexcept { return (*rings_)[static_cast<std::size_t>(lane.direction)]; }
  std::size_t size_ = message_size;
  SharedMemory<std::array<Ring, 2>> rings_;
};

static_assert(Carrier<RawRing<64>>);

}  // namespace weir::performance
