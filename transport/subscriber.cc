#include "transport/subscriber.h"

#include <utility>

#include <fmt/format.h>

namespace weir {

Subscriber::Subscriber(std::unique_ptr<spi::SubscriberPort> port, SubscriberQos qos)
    : port_(port.release()), qos_(std::move(qos)) {}

Subscriber::Subscriber(Subscriber&& other) noexcept
    : port_(std::exchange(other.port_, nullptr)), qos_(std::move(other.qos_)) {}

Subscriber& Subscriber::operator=(Subscriber&& other) noexcept {
  if (this != &other) {
    leave();
    port_ = std::exchange(other.port_, nullptr);
    qos_ = std::move(other.qos_);
  }
  return *this;
}

Subscriber::~Subscriber() { leave(); }

void Subscriber::leave() noexcept {
  spi::SubscriberPort* port = std::exchange(port_, nullptr);
  if (port == nullptr || port->inherited()) {
    return;
  }
  port->close();
  const std::int64_t taken = port->taken;
  if (port->balance.fetch_sub(taken, std::memory_order_acq_rel) == taken) {
    delete port;
  }
}

Result<Wake> Subscriber::wait(Deadline deadline, const std::stop_token& stop) {
  return spi::with_port(port_, [&] { return port_->wait(deadline, stop); });
}

Result<int> Subscriber::fd() {
  return spi::with_port(port_, [&] { return port_->fd(); });
}

Result<std::optional<MembershipEvent>> Subscriber::next_event() {
  return spi::with_port(port_, [&] { return port_->next_event(); });
}

Result<std::vector<Peer>> Subscriber::peers() {
  return spi::with_port(port_, [&] { return port_->peers(); });
}

Result<std::vector<InHand>> Subscriber::in_hand_at_death() {
  return spi::with_port(port_, [&]() -> Result<std::vector<InHand>> {
    if (port_->capabilities().in_hand_list) return port_->in_hand_at_death();
    return failure(
        ErrorCode::unsupported,
        fmt::format("endpoint \"{}\": this backend does not know what a subscriber had in hand when it died: "
                    "note it before the work, or use one with Capabilities::in_hand_list",
                    port_->endpoint_text));
  });
}

PeerId Subscriber::id() const noexcept { return port_ == nullptr ? 0 : port_->id(); }

const Capabilities& Subscriber::capabilities() const noexcept { return spi::capabilities_of(port_); }

}  // namespace weir
