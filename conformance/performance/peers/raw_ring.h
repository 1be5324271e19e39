// The least that a queue can cost: a ring of 64-byte messages for one sender and one receiver, without anything that a
// transport has to add. Each side keeps the other's index in a copy and reads it again only when that says full or
// empty (as rigtorp::SPSCQueue does), so a lane in flow moves few lines that do not carry messages.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "conformance/performance/failure.h"
#include "conformance/performance/peers/peer.h"
#include "conformance/performance/shared_memory.h"

namespace weir::performance {

class RawRing {
 public:
  static constexpr std::size_t message_size = 64;
  static constexpr std::uint64_t capacity = 256;

 private:
  struct alignas(64) Message {
    std::array<std::byte, message_size> bytes;
  };
  // Two lines apart, as processors fetch lines in pairs.
  struct alignas(128) Index {
    std::atomic<std::uint64_t> value{0};
  };
  struct Lane {
    Index sent;      // written by the sender
    Index received;  // written by the receiver
    alignas(128) std::array<Message, capacity> messages{};
  };

 public:
  class Sender {
   public:
    explicit Sender(Lane& lane) : lane_(&lane) {}
    void await_receiver() const noexcept {}
    template <class Fill>
    bool try_send(std::size_t size, Fill fill) {
      if (size > message_size) [[unlikely]] {
        fail("the raw ring carries up to 64 bytes: take a smaller message");
      }
      if (sent_ - received_ == capacity) {
        received_ = lane_->received.value.load(std::memory_order_acquire);
        if (sent_ - received_ == capacity) {
          return false;
        }
      }
      fill(std::span(lane_->messages[sent_ % capacity].bytes).first(size));
      lane_->sent.value.store(++sent_, std::memory_order_release);
      return true;
    }

   private:
    Lane* lane_;
    std::uint64_t sent_ = 0;
    std::uint64_t received_ = 0;  // as last seen
  };

  class Receiver {
   public:
    explicit Receiver(Lane& lane) : lane_(&lane) {}
    template <class Use>
    bool try_receive(Use use) {
      if (received_ == sent_) {
        sent_ = lane_->sent.value.load(std::memory_order_acquire);
        if (received_ == sent_) {
          return false;
        }
      }
      use(std::span<const std::byte>(lane_->messages[received_ % capacity].bytes));
      lane_->received.value.store(++received_, std::memory_order_release);
      return true;
    }

   private:
    Lane* lane_;
    std::uint64_t received_ = 0;
    std::uint64_t sent_ = 0;  // as last seen
  };

  [[nodiscard]] Sender sender(Direction direction) const noexcept { return Sender(lane(direction)); }
  [[nodiscard]] Receiver receiver(Direction direction) const noexcept { return Receiver(lane(direction)); }

 private:
  [[nodiscard]] Lane& lane(Direction direction) const noexcept {
    return (*lanes_)[static_cast<std::size_t>(direction)];
  }
  SharedMemory<std::array<Lane, 2>> lanes_;
};

static_assert(Peer<RawRing>);

}  // namespace weir::performance
