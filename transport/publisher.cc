#include "transport/publisher.h"

#include <cstring>
#include <string>
#include <utility>

#include <fmt/format.h>

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
  const auto error = [this](ErrorCode code, const std::string& reason) {
    return Error(code, fmt::format("endpoint \"{}\": {}", port_->endpoint_text, reason));
  };
  if (size > qos_.max_payload) {
    return error(ErrorCode::limit_exceeded,
                 fmt::format("a payload of {} bytes is above the publisher's limit max_payload={}: raise that option",
                             size, qos_.max_payload));
  }
  if (header_size > spi::max_header_size) {
    return error(ErrorCode::limit_exceeded,
                 fmt::format("a user header of {} bytes is above the limit of {}: put the rest into the payload",
                             header_size, spi::max_header_size));
  }
  if (port_->open_loans >= qos_.loans) {
    return error(ErrorCode::limit_exceeded,
                 fmt::format("{} loans are open, the limit is loans={}: publish or drop one, or raise that option",
                             port_->open_loans, qos_.loans));
  }
  return error(
      ErrorCode::invalid_argument,
      fmt::format("an alignment of {} is none: ask for a power of two from 1 to {}", alignment, spi::max_alignment));
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
    if (!port_->capabilities().acknowledgement) {
      return failure(
          ErrorCode::unsupported,
          fmt::format("endpoint \"{}\": this backend does not know what its subscribers have taken: let them "
                      "answer (transport/request_reply/requester.h), or use one with "
                      "Capabilities::acknowledgement",
                      port_->endpoint_text));
    }
    if (sequence >= port_->next_sequence()) {
      return failure(ErrorCode::invalid_argument,
                     fmt::format("endpoint \"{}\": sample {} is not published yet, the next is {}: wait for a sequence "
                                 "that publish() returned",
                                 port_->endpoint_text, sequence, port_->next_sequence()));
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
      return failure(ErrorCode::invalid_argument,
                     fmt::format("endpoint \"{}\": a loan of {} bytes cannot shrink to {}: lend the larger size first",
                                 port_->endpoint_text, record_.size, size));
    }
    record_.size = size;
    return {};
  });
}

}  // namespace weir
