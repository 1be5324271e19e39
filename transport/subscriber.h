// Receives the messages of all publishers of a topic.
//
//   auto subscriber = node.subscriber("shm://camera/front?depth=8&policy=drop_oldest");
//   if (!subscriber) return subscriber.error();
//   while (true) {
//     auto wake = subscriber->wait(weir::after(std::chrono::seconds(1)), stop);
//     if (!wake || *wake != weir::Wake::ready) break;
//     for (auto sample = subscriber->take(); sample && *sample; sample = subscriber->take()) use(sample->payload());
//   }
//
// Samples of one publisher come in its order, none twice, none torn; between publishers there is no order.
// Thread-compatible: one thread at a time; its samples may be released on any thread. The destructor leaves the topic;
// samples in hand stay valid. In a forked child every call returns `forked`.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "transport/backend.h"
#include "transport/guard.h"
#include "transport/membership.h"
#include "transport/sample.h"
#include "transport/status.h"

namespace weir {

class Subscriber;

namespace spi {
// For what knows more of a backend than this interface does. Null for one that was moved from.
[[nodiscard]] SubscriberPort* port_of(const Subscriber& subscriber) noexcept;
}  // namespace spi

class Subscriber {
 public:
  Subscriber(Subscriber&& other) noexcept;
  Subscriber& operator=(Subscriber&& other) noexcept;
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;
  ~Subscriber();

  // The next sample, or an empty one when there is none. Never waits.
  // Errors: limit_exceeded when `held` samples are in hand (release one; nothing is lost); corrupt when a peer's memory
  // fails its checks (that peer is left out from then on).
  [[nodiscard]] Result<Sample> take();

  // Waits until take() has something. Costs no processor time while it sleeps; spins only when the next sample is
  // expected within microseconds, and now and then, for up to 0.1 ms, to find out whether it is.
  [[nodiscard]] Result<Wake> wait(Deadline deadline, const std::stop_token& stop = {});

  // For an event loop: readable when take() has something, or next_event(), once it was called. Level-triggered, may be
  // readable without cause; clears when take() comes back empty and next_event() too. Owned by the subscriber. Errors:
  // resource_exhausted; closed, forked.
  [[nodiscard]] Result<int> fd();

  // For a durable subscriber (durability=persistent) that came back: what its predecessor had taken and not released
  // when it died, by publisher and sequence. These do not come again (a message is delivered at most once), and may not
  // have been worked on to the end. What earlier ones had left, and it died without asking for, is among them, up to
  // `held` in all; what was told once is told to this handle alone. Empty for all others. Errors: unsupported.
  [[nodiscard]] Result<std::vector<InHand>> in_hand_at_death();

  // What has changed among the publishers since the last call; empty when nothing. Errors: unsupported.
  [[nodiscard]] Result<std::optional<MembershipEvent>> next_event();

  // The publishers there are now. Errors: unsupported.
  [[nodiscard]] Result<std::vector<Peer>> peers();

  [[nodiscard]] PeerId id() const noexcept;
  [[nodiscard]] const Capabilities& capabilities() const noexcept;
  [[nodiscard]] const SubscriberQos& qos() const noexcept { return qos_; }

 private:
  friend class Node;
  friend spi::SubscriberPort* spi::port_of(const Subscriber& subscriber) noexcept;
  Subscriber(std::unique_ptr<spi::SubscriberPort> port, SubscriberQos qos);
  void leave() noexcept;
  [[gnu::always_inline]] static Result<Sample> take_from(spi::SubscriberPort& port) {
    const Error* error = nullptr;
    Result<Sample> sample(tl::in_place, spi::Taking{port, error});  // the one that is returned, not a copy
    if (error != nullptr) [[unlikely]] {
      spi::spoil(sample, *error);
    }
    return sample;
  }

  spi::SubscriberPort* port_ = nullptr;  // deleted when the handle and the last sample are gone
  SubscriberQos qos_;
};

inline spi::SubscriberPort* spi::port_of(const Subscriber& subscriber) noexcept { return subscriber.port_; }

[[gnu::always_inline]] inline Result<Sample> Subscriber::take() {
  spi::SubscriberPort* const port = port_;
  if (port == nullptr || port->inherited()) [[unlikely]] {
    return spi::failed<Sample>(spi::unusable(port));
  }
  try {
    return take_from(*port);
  } catch (...) {
    return spi::failed<Sample>(spi::caught());
  }
}

}  // namespace weir
