#include "transport/publisher.h"

#include <cstring>
#include <string>
#include <utility>

namespace weir {

Publisher::Publisher(std::unique_ptr<spi::PublisherPort> port, PublisherQos qos)
    : port_(port.release()), qos_(std::move(qos)) {}

Publisher::Publisher(Publisher&& other) noexcept
    : port_(std::exchange(other.port_, nullptr)), qos_(std::move(other.qos_)) {}

Publisher& Publisher::operator=(Publisher&& other) noexcept {
  if (this != &other) {
    leave();
    port_ = std::exchange(other.port_, nullptr);
    qos_ = std::move(other.qos_);
  }
  return *this;
}

Publisher::~Publisher() { leave(); }

void Publisher::leave() noexcept {
  spi::PublisherPort* port = std::exchange(port_, nullptr);
  if (port == nullptr || port->inherited()) {
    return;
  }
  port->close();
  port->closed = true;
  port->note_closed();
  if (port->open_loans == 0) {
    delete port;
  }
}

Error Publisher::refusal(std::size_t size, std::size_t header_size, std::size_t alignment) const noexcept try {
  if (port_ == nullptr || port_->inherited()) {
    return spi::unusable(port_);
  }
  if (size > qos_.max_payload) {
    return {ErrorCode::limit_exceeded, "a payload of " + std::to_string(size) +
                                           " bytes is above the publisher's limit max_payload=" +
                                           std::to_string(qos_.max_payload) + ": raise that option"};
  }
  if (header_size > spi::max_header_size) {
    return {ErrorCode::limit_exceeded, "a user header of " + std::to_string(header_size) +
                                           " bytes is above the limit of " + std::to_string(spi::max_header_size) +
                                           ": put the rest into the payload"};
  }
  if (port_->open_loans >= qos_.loans) {
    return {ErrorCode::limit_exceeded, std::to_string(port_->open_loans) + " loans are open, the limit is loans=" +
                                           std::to_string(qos_.loans) + ": publish or drop one, or raise that option"};
  }
  return {ErrorCode::invalid_argument, "an alignment of " + std::to_string(alignment) +
                                           " is not a power of two from 1 to " + std::to_string(spi::max_alignment)};
} catch (...) {
  return spi::caught();
}

Result<std::uint64_t> Publisher::send(std::span<const std::byte> payload, std::span<const std::byte> header) {
  Result<Loan> loan = this->loan(payload.size(), header.size());
  if (!loan) {
    return tl::unexpected(loan.error());
  }
  if (!payload.empty()) {
    std::memcpy(loan->payload().data(), payload.data(), payload.size());
  }
  if (!header.empty()) {
    std::memcpy(loan->header().data(), header.data(), header.size());
  }
  return loan->publish();
}

Status Publisher::wait_for_subscribers(std::uint64_t count, Deadline deadline, const std::stop_token& stop) {
  return spi::with_port(port_, [&] { return port_->wait_for_subscribers(count, deadline, stop); });
}

Status Publisher::wait_until_taken(std::uint64_t sequence, Deadline deadline, const std::stop_token& stop) {
  return spi::with_port(port_, [&]() -> Status {
    if (sequence >= port_->next_sequence() && port_->capabilities().acknowledgement) {
      return failure(ErrorCode::invalid_argument,
                     "sample " + std::to_string(sequence) + " is not published yet, the next is " +
                         std::to_string(port_->next_sequence()) + ": wait for a sequence that publish() returned");
    }
    return port_->wait_until_taken(sequence, deadline, stop);
  });
}

Result<Wake> Publisher::wait(Deadline deadline, const std::stop_token& stop) {
  return spi::with_port(port_, [&] { return port_->wait(deadline, stop); });
}

Result<int> Publisher::fd() {
  return spi::with_port(port_, [&] { return port_->fd(); });
}

Result<std::optional<MembershipEvent>> Publisher::next_event() {
  return spi::with_port(port_, [&] { return port_->next_event(); });
}

Result<std::vector<Peer>> Publisher::peers() {
  return spi::with_port(port_, [&] { return port_->peers(); });
}

std::uint64_t Publisher::next_sequence() const noexcept {
  return port_ == nullptr || port_->inherited() ? spi::no_sequence : port_->next_sequence();
}

PeerId Publisher::id() const noexcept { return port_ == nullptr ? 0 : port_->id(); }

const Capabilities& Publisher::capabilities() const noexcept { return spi::capabilities_of(port_); }

void Loan::drop() noexcept {
  spi::PublisherPort* port = std::exchange(port_, nullptr);
  if (port == nullptr || port->inherited()) {
    return;
  }
  port->drop(record_);
  if (--port->open_loans == 0 && port->closed) {
    delete port;  // its handle is gone and this was the last loan out
  }
}

Status Loan::shrink(std::size_t size) {
  return spi::with_port(port_, [&]() -> Status {
    if (size > record_.size) {
      return failure(ErrorCode::invalid_argument, "a loan of " + std::to_string(record_.size) +
                                                      " bytes cannot shrink to " + std::to_string(size) +
                                                      ": lend the larger size first");
    }
    record_.size = size;
    return {};
  });
}

}  // namespace weir
