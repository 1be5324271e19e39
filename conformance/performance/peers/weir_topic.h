// Any backend of weir, through its public interface: endpoints by URI, Node,
// Publisher, Subscriber.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "conformance/performance/failure.h"
#include "conformance/performance/loads/many_topics.h"
#include "conformance/performance/peers/peer.h"
#include "transport/node.h"
#include "transport/wait_set.h"

namespace weir::performance {

class WeirTopic {
 public:
  // `address`: scheme and topic of each lane. `options`: as in a URI; both roles read them, and ignore each other's.
  WeirTopic(std::function<std::string(Lane)> address, std::string options)
      : address_(std::move(address)), options_(std::move(options)) {}
  // `prefix`: scheme and the beginning of the topic, which each lane completes.
  WeirTopic(const std::string& prefix, std::string options)
      : WeirTopic(
            [prefix](Lane lane) {
              return prefix + (lane.direction == Direction::there ? "there" : "back") + std::to_string(lane.index);
            },
            std::move(options)) {}

  class Sender {
   public:
    explicit Sender(Publisher publisher) : publisher_(std::move(publisher)) {}
    void await_receivers(std::uint64_t count) {
      constexpr std::chrono::seconds patience(10);
      Status joined = publisher_.wait_for_subscribers(count, after(patience));
      if (!joined && joined.error().code() == ErrorCode::unsupported) {
        joined = publisher_.wait_for_subscribers(1, after(patience));  // a backend that tells none from some
      }
      must(joined);
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

  class Listener;
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
    friend class Listener;
    Subscriber subscriber_;
  };

  class Listener {
   public:
    explicit Listener(std::vector<Receiver> receivers)
        : receivers_(std::move(receivers)), set_(must(WaitSet::create())) {
      for (std::size_t tag = 0; tag < receivers_.size(); ++tag) {
        must(set_.add(receivers_[tag].subscriber_, tag));
      }
    }
    template <class Use>
    void receive(Use use) {
      for (bool received = false; !received;) {
        const auto ready = must(set_.wait(never));
        for (const std::uint64_t tag : ready.tags) {
          while (receivers_[tag].try_receive(use)) {
            received = true;
          }
        }
      }
    }

   private:
    std::vector<Receiver> receivers_;
    WaitSet set_;
  };

  [[nodiscard]] Sender sender(Lane lane) const { return Sender(must(node().publisher(uri(lane)))); }
  [[nodiscard]] Receiver receiver(Lane lane) const { return Receiver(must(node().subscriber(uri(lane)))); }
  [[nodiscard]] Listener listener(std::uint64_t count) const {
    std::vector<Receiver> receivers;
    receivers.reserve(count);
    for (std::uint64_t lane = 0; lane < count; ++lane) {
      receivers.push_back(receiver({.index = lane}));
    }
    return Listener(std::move(receivers));
  }

 private:
  // One for the process, as applications have it: a node looks at the whole root when it first joins a topic.
  static Node& node() {
    static Node one = must(Node::open());
    return one;
  }
  [[nodiscard]] std::string uri(Lane lane) const { return address_(lane) + (options_.empty() ? "" : "?" + options_); }

  std::function<std::string(Lane)> address_;
  std::string options_;
};

static_assert(ListeningCarrier<WeirTopic>);

}  // namespace weir::performance
