// A read-only message that a subscriber holds until it is released.
//
//   auto sample = subscriber.take();
//   if (!sample) return sample.error();
//   if (!*sample) break;                          // nothing there
//   if (sample->lost_before() > 0) warn(…);
//   use(sample->payload());
//
// Move-only; the destructor releases. It stays valid after its subscriber, its node and its publisher are gone, also by
// a crash. Thread safety: may be moved to, read on and released on any thread; in a forked child it stays readable and
// its destructor touches nothing shared.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "transport/backend.h"
#include "transport/guard.h"
#include "transport/status.h"

namespace weir {

class Sample {
 public:
  // The record stays as it is: nobody reads it without a port.
  Sample() noexcept {}  // NOLINT(modernize-use-equals-default): that would write zeros
  // For Subscriber::take.
  [[gnu::always_inline]] explicit Sample(const spi::Taking& taking) {
    if (const Result<bool> taken = taking.port.take(record_); !taken) [[unlikely]] {
      taking.error = spi::keep(taken.error());
    } else if (*taken) {
      port_ = &taking.port;
      ++port_->taken;
    }
  }
  Sample(Sample&& other) noexcept { take_over(other); }
  Sample& operator=(Sample&& other) noexcept {
    if (this != &other) {
      release();
      take_over(other);
    }
    return *this;
  }
  Sample(const Sample&) = delete;
  Sample& operator=(const Sample&) = delete;
  [[gnu::always_inline]] ~Sample() { release(); }

  // False: there was nothing to take, or it was released or moved from. The accessors below need true.
  explicit operator bool() const noexcept { return port_ != nullptr; }

  [[nodiscard]] std::span<const std::byte> payload() const noexcept { return {record_.payload, record_.size}; }
  [[nodiscard]] std::span<const std::byte> header() const noexcept { return {record_.header, record_.header_size}; }

  // Who published it; 0 where the backend cannot know.
  [[nodiscard]] PeerId publisher() const noexcept { return record_.publisher; }
  // 0, 1, 2 … for each publisher, without gaps at the source. Only with Capabilities::sequence.
  [[nodiscard]] std::uint64_t sequence() const noexcept { return record_.sequence; }
  // How many samples of this publisher this subscriber missed just before this one. Exact with
  // Capabilities::exact_loss, else 0.
  [[nodiscard]] std::uint64_t lost_before() const noexcept { return record_.lost_before; }
  // When publish was called, in CLOCK_MONOTONIC. Only with Capabilities::publish_time.
  [[nodiscard]] std::chrono::steady_clock::time_point publish_time() const noexcept {
    return port_->publish_time(record_);
  }

  [[gnu::always_inline]] void release() noexcept {
    spi::SubscriberPort* const port = port_;
    if (port == nullptr) {
      return;
    }
    port_ = nullptr;
    if (port->inherited()) [[unlikely]] {
      return;
    }
    port->release(record_);
    if (port->balance.fetch_add(1, std::memory_order_acq_rel) + 1 == 0) [[unlikely]] {
      delete port;  // the handle is gone and this was the last sample out
    }
  }

 private:
  void take_over(Sample& other) noexcept {
    port_ = std::exchange(other.port_, nullptr);
    if (port_ != nullptr) {
      record_ = other.record_;
    }
  }

  spi::SubscriberPort* port_ = nullptr;
  spi::SampleRecord record_;
};

}  // namespace weir
