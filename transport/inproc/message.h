// One message, written by its publisher and afterwards shared by whoever still wants to read it.
//
//   auto message = std::make_shared<Message>(request, budget);   // the loan
//   message->sequence = 7;                                       // at publish
//   std::shared_ptr<const Message> sample = message;             // in queues, history and samples
//
// The last reference frees it, whoever of publisher, subscriber and node is gone by then. Thread safety: const once
// published; the budget may be shared by threads.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include "transport/backend.h"

namespace weir::inproc {

// What all messages of one publisher together take, against its option `memory`. Its publisher alone takes, so what
// fits goes on fitting until it takes again; any thread gives back.
class Budget {
 public:
  explicit Budget(std::uint64_t limit) : limit_(limit) {}

  [[nodiscard]] bool fits(std::uint64_t bytes) const noexcept { return bytes <= limit_ && used() <= limit_ - bytes; }
  void take(std::uint64_t bytes) noexcept { used_.fetch_add(bytes, std::memory_order_relaxed); }
  void give_back(std::uint64_t bytes) noexcept { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t used() const noexcept { return used_.load(std::memory_order_relaxed); }

 private:
  const std::uint64_t limit_;
  std::atomic<std::uint64_t> used_{0};
};

struct AlignedDelete {
  std::align_val_t alignment;
  void operator()(std::byte* bytes) const noexcept { ::operator delete(bytes, alignment); }
};
using Bytes = std::unique_ptr<std::byte, AlignedDelete>;

class Message {
 public:
  // Takes size and header_size from the budget until it is destroyed. Throws std::bad_alloc.
  Message(const spi::LoanRequest& request, std::shared_ptr<Budget> budget);
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  ~Message();

  [[nodiscard]] std::byte* payload() const noexcept { return payload_.get(); }
  [[nodiscard]] std::byte* header() const noexcept { return header_.get(); }

  // Settled by the publisher before it shares the message.
  std::size_t size;
  const std::size_t header_size;
  std::uint64_t sequence = spi::no_sequence;
  std::chrono::steady_clock::time_point published;

 private:
  const Bytes payload_;
  const Bytes header_;
  const std::shared_ptr<Budget> budget_;
  const std::uint64_t taken_;
};

}  // namespace weir::inproc
