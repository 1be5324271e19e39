// shm:// through its concrete types: messages of 64 bytes that are compiled into the program
// (transport/shm/small.h).
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "conformance/performance/failure.h"
#include "conformance/performance/peers/peer.h"
#include "transport/shm/small.h"

namespace weir::performance {

struct alignas(16) Line {
  std::array<std::byte, 64> bytes;
};

}  // namespace weir::performance

template <>
struct weir::TypeName<weir::performance::Line> {
  static constexpr std::string_view value = "performance.Line";
};

namespace weir::performance {

class ShmConcrete {
 public:
  ShmConcrete(std::string prefix, std::string options) : prefix_(std::move(prefix)), options_(std::move(options)) {}

  class Sender {
   public:
    explicit Sender(shm::SmallPublisher<Line> publisher) : publisher_(std::move(publisher)) {}
    void await_receivers(std::uint64_t count) {
      must(publisher_.untyped().wait_for_subscribers(count, after(std::chrono::seconds(10))));
    }
    template <class Fill>
    [[gnu::always_inline]] bool try_send(std::size_t size, Fill fill) {
      Line line;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled, or not to be touched
      fill(std::span(line.bytes).first(size));
      if (auto sequence = publisher_.publish(line); !sequence) [[unlikely]] {
        if (sequence.error().code() == ErrorCode::back_pressure) {
          return false;
        }
        fail(sequence.error());
      }
      return true;
    }

   private:
    shm::SmallPublisher<Line> publisher_;
  };

  class Receiver {
   public:
    explicit Receiver(shm::SmallSubscriber<Line> subscriber) : subscriber_(std::move(subscriber)) {}
    void wait() {
      if (auto wake = subscriber_.untyped().wait(never); !wake) [[unlikely]] {
        fail(wake.error());
      }
    }
    template <class Use>
    [[gnu::always_inline]] bool try_receive(Use use) {
      shm::Small<Line> message;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by take
      auto taken = subscriber_.take(message);
      if (!taken) [[unlikely]] {
        fail(taken.error());
      }
      if (!*taken) {
        return false;
      }
      if (message.lost_before != 0) [[unlikely]] {
        fail("a message was lost: give the subscriber more depth");
      }
      use(std::span<const std::byte>(message.value.bytes));
      return true;
    }

   private:
    shm::SmallSubscriber<Line> subscriber_;
  };

  [[nodiscard]] Sender sender(Lane lane) const {
    Node node = must(Node::open());
    return Sender(must(shm::SmallPublisher<Line>::open(node, uri(lane))));
  }
  [[nodiscard]] Receiver receiver(Lane lane) const {
    Node node = must(Node::open());
    return Receiver(must(shm::SmallSubscriber<Line>::open(node, uri(lane))));
  }

 private:
  [[nodiscard]] std::string uri(Lane lane) const {
    return prefix_ + (lane.direction == Direction::there ? "there" : "back") + std::to_string(lane.index) +
           (options_.empty() ? "" : "?" + options_);
  }

  std::string prefix_;
  std::string options_;
};

}  // namespace weir::performance
