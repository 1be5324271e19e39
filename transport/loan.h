// A writable message that a publisher owns until it is published or dropped.
//
//   auto loan = publisher.loan(1920 * 1080);
//   if (!loan) return loan.error();
//   render(loan->payload());
//   auto sequence = loan->publish();     // on an error the loan is still there: publish again, or drop it
//
// Move-only. Destroying it drops it: nothing is sent and no sequence number is spent. It may outlive its publisher;
// then publish() returns `closed`. Thread safety: a loan belongs to its publisher; both are used by one thread at a
// time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "transport/backend.h"
#include "transport/deadline.h"
#include "transport/guard.h"
#include "transport/status.h"

namespace weir {

class Loan {
 public:
  // The record stays as it is: nobody reads it without a port.
  Loan() noexcept {}  // NOLINT(modernize-use-equals-default): that would write zeros
  // For Publisher::loan.
  [[gnu::always_inline]] explicit Loan(const spi::Lending& lending) {
    if (const Status lent = lending.port.loan(lending.request, record_); lent) [[likely]] {
      port_ = &lending.port;
      ++port_->open_loans;
    } else {
      lending.error = spi::keep(lent.error());
    }
  }
  Loan(Loan&& other) noexcept { take_over(other); }
  Loan& operator=(Loan&& other) noexcept {
    if (this != &other) {
      drop();
      take_over(other);
    }
    return *this;
  }
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;
  ~Loan() {
    if (port_ != nullptr) [[unlikely]] {
      drop();
    }
  }

  // False once published, dropped or moved from.
  explicit operator bool() const noexcept { return port_ != nullptr; }

  // The bytes to fill; not initialised. Aligned as asked for, at least to 8.
  [[nodiscard]] std::span<std::byte> payload() const noexcept { return {record_.payload, record_.size}; }
  // The user header; not initialised; empty unless asked for.
  [[nodiscard]] std::span<std::byte> header() const noexcept { return {record_.header, record_.header_size}; }

  // Publishes fewer bytes than were lent. Errors: invalid_argument if `size` is more than the payload has now; closed
  // for an empty loan; forked.
  [[nodiscard]] Status shrink(std::size_t size);

  // Publishes; returns the sample's sequence number: 0, 1, 2 … for each publisher. Waits under Grant::block, up to the
  // publisher's `deadline` option or the deadline given here.
  // Errors: back_pressure, closed, forked. The loan stays valid, no number is spent, and nobody receives the sample.
  [[nodiscard]] Result<std::uint64_t> publish(std::optional<Deadline> deadline = {});

  void drop() noexcept;

 private:
  void take_over(Loan& other) noexcept {
    port_ = std::exchange(other.port_, nullptr);
    if (port_ != nullptr) {
      record_ = other.record_;
    }
  }

  [[gnu::always_inline]] Result<std::uint64_t> publish_to(spi::PublisherPort& port, std::optional<Deadline> deadline) {
    Result<std::uint64_t> sequence = port.publish(record_, deadline);
    if (sequence) [[likely]] {
      port_ = nullptr;
      --port.open_loans;  // not the last of a closed port: that one does not publish
    }
    return sequence;
  }

  spi::PublisherPort* port_ = nullptr;
  spi::LoanRecord record_;
};

[[gnu::always_inline]] inline Result<std::uint64_t> Loan::publish(std::optional<Deadline> deadline) {
  spi::PublisherPort* const port = port_;
  if (port == nullptr || !port->usable()) [[unlikely]] {
    return spi::failed<std::uint64_t>(spi::unusable(port));
  }
  try {
    return publish_to(*port, deadline);
  } catch (...) {
    return spi::failed<std::uint64_t>(spi::caught());
  }
}

}  // namespace weir
