// Any backend of weir, through its public interface: endpoints by URI, Node, Publisher, Subscriber.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "conformance/performance/failure.h"
#include "conformance/performance/peers/peer.h"
#include "transport/node.h"

namespace weir::performance {

class WeirTopic {
 public:
  // `prefix`: scheme and the beginning of the topic, which each direction completes. `options`: as in a URI; both roles
  // read them, and ignore each other's.
  WeirTopic(std::string prefix, std::string options) : prefix_(std::move(prefix)), options_(std::move(options)) {}

  class Sender {
   public:
    explicit Sender(Publisher publisher) : publisher_(std::move(publisher)) {}
    void await_receiver() { await_receivers(1); }
    void await_receivers(std::uint64_t count) {
      must(publisher_.wait_for_subscribers(count, after(std::chrono::seconds(10))));
    }
    template <class Fill>
    bool try_send(std::size_t size, Fill fill) {
      auto loan = publisher_.loan(size);
      if (!loan) [[unlikely]] {
        fail(loan.error());
      }
      fill(loan->payload());
      if (auto sequence = loan->publish(); !sequence) [[unlikely]] {
        if (sequence.error().code() == ErrorCode::back_pressure) {
          return false;
        }
        fail(sequence.error());
      }
      return true;
    }

   private:
    Publisher publisher_;
  };

  class Receiver {
   public:
    explicit Receiver(Subscriber subscriber) : subscriber_(std::move(subscriber)) {}
    void wait() {
      if (auto wake = subscriber_.wait(never); !wake) [[unlikely]] {
        fail(wake.error());
      }
    }
    template <class Use>
    bool try_receive(Use use) {
      auto sample = subscriber_.take();
      if (!sample) [[unlikely]] {
        fail(sample.error());
      }
      if (!*sample) {
        return false;
      }
      if (sample->lost_before() != 0) [[unlikely]] {
        fail("a message was lost: give the subscriber more depth");
      }
      use(sample->payload());
      return true;
    }

   private:
    Subscriber subscriber_;
  };

  [[nodiscard]] Sender sender(Direction direction) const {
    Node node = must(Node::open());
    return Sender(must(node.publisher(uri(direction))));
  }
  [[nodiscard]] Receiver receiver(Direction direction) const {
    Node node = must(Node::open());
    return Receiver(must(node.subscriber(uri(direction))));
  }

 private:
  [[nodiscard]] std::string uri(Direction direction) const {
    return prefix_ + (direction == Direction::there ? "/there" : "/back") + (options_.empty() ? "" : "?" + options_);
  }

  std::string prefix_;
  std::string options_;
};

static_assert(WaitingPeer<WeirTopic> && FanOutPeer<WeirTopic>);

}  // namespace weir::performance
