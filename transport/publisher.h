// Sends messages to all subscribers of a topic.
//
//   auto publisher = node.publisher("shm://camera/front?depth=8");
//   if (!publisher) return publisher.error();
//   auto ready = publisher->wait_for_subscribers(1, weir::after(std::chrono::seconds(5)));
//   auto loan = publisher->loan(frame_size);                  // zero-copy: fill it in place
//   …
//   auto sequence = loan->publish();
//   auto copied = publisher->send(std::as_bytes(std::span(text)));   // or let weir copy
//
// Thread-compatible: one thread at a time uses a publisher and its loans; distinct publishers are independent. The
// destructor leaves the topic; what subscribers have not read yet still reaches them
// (Capabilities::survives_publisher). In a forked child every call returns `forked`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "transport/backend.h"
#include "transport/guard.h"
#include "transport/loan.h"
#include "transport/membership.h"
#include "transport/status.h"

namespace weir {

class Publisher;

namespace spi {
// For what knows more of a backend than this interface does. Null for one that was moved from.
[[nodiscard]] PublisherPort* port_of(const Publisher& publisher) noexcept;
}  // namespace spi

class Publisher {
 public:
  Publisher(Publisher&& other) noexcept;
  Publisher& operator=(Publisher&& other) noexcept;
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  ~Publisher();

  // Lends a message of `size` payload bytes, not initialised; 0 is a message too. `alignment` is a power of two up to
  // 4096.
  // Errors: invalid_argument; limit_exceeded for a message above `max_payload` or all of `memory`, a header above
  // 64 KiB, or more than `loans` open at once; resource_exhausted when memory or file system space is short, also that
  // of `memory` while messages are in use: smaller ones may still work, and this one once some were released.
  [[nodiscard]] Result<Loan> loan(std::size_t size, std::size_t header_size = 0, std::size_t alignment = 8);

  // Copies a message into a loan and publishes it. Errors: those of loan() and Loan::publish().
  [[nodiscard]] Result<std::uint64_t> send(std::span<const std::byte> payload, std::span<const std::byte> header = {});

  // Waits until at least `count` subscribers have joined. What is published after it returned well is received by them
  // or announced as lost to them.
  // Errors: timed_out, interrupted; unsupported where the backend cannot count that far.
  [[nodiscard]] Status wait_for_subscribers(std::uint64_t count, Deadline deadline, const std::stop_token& stop = {});

  // Waits until every subscriber that is attached has the sample `sequence` and those before it behind it: it took
  // them, lost them by its own policy (announced there), left, or died. Later joiners are not waited for, unless
  // history promises them the sample. Taken is not processed: for that let the subscriber answer
  // (transport/request_reply/requester.h). Errors: invalid_argument for a sequence that is not published yet;
  // timed_out, interrupted; unsupported without Capabilities::acknowledgement.
  [[nodiscard]] Status wait_until_taken(std::uint64_t sequence, Deadline deadline, const std::stop_token& stop = {});

  // After a publish that returned back_pressure: waits until another try may succeed.
  [[nodiscard]] Result<Wake> wait(Deadline deadline, const std::stop_token& stop = {});

  // For an event loop: readable when, after a publish that returned back_pressure, another may succeed, or when
  // next_event(), once it was called, has something. Level-triggered, may be readable without cause; owned by the
  // publisher. Errors: resource_exhausted; closed, forked.
  [[nodiscard]] Result<int> fd();

  // What has changed among the subscribers since the last call; empty when nothing. Errors: unsupported.
  [[nodiscard]] Result<std::optional<MembershipEvent>> next_event();

  // The subscribers there are now. Errors: unsupported.
  [[nodiscard]] Result<std::vector<Peer>> peers();

  // The sequence that the next message will have: how far a publisher that returned under its name had come. ~0 where
  // the backend has no sequences, and after a fork.
  [[nodiscard]] std::uint64_t next_sequence() const noexcept;

  [[nodiscard]] PeerId id() const noexcept;
  [[nodiscard]] const Capabilities& capabilities() const noexcept;
  [[nodiscard]] const PublisherQos& qos() const noexcept { return qos_; }

 private:
  friend class Node;
  friend spi::PublisherPort* spi::port_of(const Publisher& publisher) noexcept;
  Publisher(std::unique_ptr<spi::PublisherPort> port, PublisherQos qos);
  void leave() noexcept;
  [[gnu::always_inline]] Result<Loan> loan_from(spi::PublisherPort& port, const spi::LoanRequest& request) {
    const Error* error = nullptr;
    Result<Loan> loan(tl::in_place, spi::Lending{port, request, error});  // the one that is returned, not a copy
    if (error != nullptr) [[unlikely]] {
      spi::spoil(loan, *error);
    }
    return loan;
  }
  // Why a loan of these measures is refused.
  [[nodiscard]] Error refusal(std::size_t size, std::size_t header_size, std::size_t alignment) const noexcept;

  spi::PublisherPort* port_ = nullptr;  // deleted when the handle and the last loan are gone
  PublisherQos qos_;
};

inline spi::PublisherPort* spi::port_of(const Publisher& publisher) noexcept { return publisher.port_; }

[[gnu::always_inline]] inline Result<Loan> Publisher::loan(std::size_t size, std::size_t header_size,
                                                           std::size_t alignment) {
  spi::PublisherPort* const port = port_;
  const bool is_power_of_two = alignment != 0 && (alignment & (alignment - 1)) == 0;
  if (port == nullptr || port->inherited() || size > qos_.max_payload || header_size > spi::max_header_size ||
      port->open_loans >= qos_.loans || !is_power_of_two || alignment > spi::max_alignment) [[unlikely]] {
    return spi::failed<Loan>(refusal(size, header_size, alignment));
  }
  try {
    return loan_from(*port, {size, header_size, alignment});
  } catch (...) {
    return spi::failed<Loan>(spi::caught());
  }
}

}  // namespace weir
