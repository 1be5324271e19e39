// What a backend implements. Applications include publisher.h, subscriber.h and node.h instead.
//
// A Backend makes ports; the handles of the interface (Publisher, Loan, Subscriber, Sample) stand before them. The
// handles own the rules that are the same everywhere: they refuse inherited ports in a forked child, keep a port alive
// until its last loan or sample is gone, turn exceptions into errors, and check the caller's arguments. A backend moves
// bytes: loan, publish, take and release are one indirect call each.
//
// Thread safety: the methods of one port are called by one thread at a time, except SubscriberPort::release and
// publish_time, which any thread may call at any time. Distinct ports are independent. Backend is thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "transport/capabilities.h"
#include "transport/deadline.h"
#include "transport/endpoint.h"
#include "transport/membership.h"
#include "transport/process.h"
#include "transport/qos.h"
#include "transport/status.h"

namespace weir::spi {

// The largest user header, in bytes.
inline constexpr std::size_t max_header_size = 65536;

// The largest alignment of a payload that can be asked for, in bytes.
inline constexpr std::size_t max_alignment = 4096;

struct LoanRequest {
  std::size_t size = 0;         // bytes of payload
  std::size_t header_size = 0;  // bytes of user header, at most max_header_size
  std::size_t alignment = 0;    // of the payload; a power of two up to max_alignment
};

// A loan as a port sees it. The publisher may lower `size` before it publishes.
// Not initialised: loan() writes every field.
struct LoanRecord {
  std::byte* payload;
  std::size_t size;
  std::byte* header;
  std::size_t header_size;
  std::uint64_t token;  // the port's own
};

inline constexpr std::uint64_t no_sequence = ~0ULL;

// A sample as a port sees it. Valid until release. Not initialised: take() writes every field.
struct SampleRecord {
  const std::byte* payload;
  std::size_t size;
  const std::byte* header;
  std::size_t header_size;
  PeerId publisher;
  std::uint64_t sequence;  // no_sequence where there is none
  std::uint64_t lost_before;
  std::uint64_t time;   // the port's own unit, see publish_time()
  std::uint64_t token;  // the port's own
};

// What both kinds of port have.
class Port {
 public:
  Port() = default;
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  virtual ~Port() = default;

  // Leaves the topic; called once, when the handle is destroyed. Afterwards only drop() or release() may come, for what
  // is still out; then the port is deleted.
  virtual void close() noexcept = 0;

  [[nodiscard]] virtual PeerId id() const noexcept = 0;
  [[nodiscard]] virtual const Capabilities& capabilities() const noexcept = 0;

  // A publisher waits for space, a subscriber for data: until a publish that was refused with back_pressure could
  // succeed, or until take would not come back empty.
  virtual Result<Wake> wait(Deadline deadline, const std::stop_token& stop) = 0;

  // A descriptor of the port's own, valid until close(): readable when take would not come back empty, or a publish
  // that was refused could succeed, or, once next_event() was called, a membership event is there; level-triggered;
  // spurious readiness is allowed; it clears when take comes back empty and next_event() has nothing.
  virtual Result<int> fd() = 0;

  virtual Result<std::optional<MembershipEvent>> next_event() = 0;

  // The peers of the other role.
  virtual Result<std::vector<Peer>> peers() = 0;

  // True in a forked child of the process that made this port.
  [[nodiscard]] bool inherited() const noexcept { return word_->load(std::memory_order_relaxed) != process_; }

  // For the handles: that it is neither inherited nor closed, in one comparison; and that it is closed from now on.
  [[nodiscard]] bool usable() const noexcept { return word_->load(std::memory_order_relaxed) == usable_in_; }
  void note_closed() noexcept { usable_in_ = no_process; }

 private:
  static constexpr std::uint64_t no_process = ~std::uint64_t{0};

  // Kept here, as the way to a global variable of another library is longer.
  const std::atomic<std::uint64_t>* word_ = internal::process_word;
  std::uint64_t process_ = process_generation();
  std::uint64_t usable_in_ = process_;
};

class PublisherPort : public Port {
 public:
  // Fills `record`. Errors: limit_exceeded (never fits, too many open), resource_exhausted, back_pressure never.
  virtual Status loan(const LoanRequest& request, LoanRecord& record) = 0;

  // Publishes and returns the sequence. Without a deadline, the qos option holds. After an error the loan is as before
  // and no number is spent.
  virtual Result<std::uint64_t> publish(LoanRecord& record, std::optional<Deadline> deadline) = 0;

  // Takes an unpublished loan back.
  virtual void drop(LoanRecord& record) noexcept = 0;

  // What the next publish will return; no_sequence where there is none.
  [[nodiscard]] virtual std::uint64_t next_sequence() const noexcept { return no_sequence; }

  // Errors: timed_out, interrupted, unsupported.
  virtual Status wait_for_subscribers(std::uint64_t count, Deadline deadline, const std::stop_token& stop) = 0;

  // `sequence` is published. Errors: timed_out, interrupted. Called with Capabilities::acknowledgement alone.
  virtual Status wait_until_taken(std::uint64_t sequence, Deadline deadline, const std::stop_token& stop);

  std::uint64_t open_loans = 0;  // kept by the handles
  bool closed = false;           // kept by the handles
  std::string endpoint_text;     // for the handles' messages; kept by the Node
};

class SubscriberPort : public Port {
 public:
  // True: `record` is a sample. False: there is nothing to take.
  virtual Result<bool> take(SampleRecord& record) = 0;

  // What predecessors of this durable subscriber had in hand when they died. Called with Capabilities::in_hand_list
  // alone.
  virtual Result<std::vector<InHand>> in_hand_at_death();

  // Gives a sample back. Any thread, also after close().
  virtual void release(SampleRecord& record) noexcept = 0;

  // The record's time as a point of CLOCK_MONOTONIC; the epoch if unknown. Any thread, until release.
  [[nodiscard]] virtual std::chrono::steady_clock::time_point publish_time(const SampleRecord& record) const noexcept {
    return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(record.time));
  }

  // Kept by the handles: takes are counted by the owner, releases by whoever; the port goes when the handle has been
  // closed, which subtracts `taken`, and the balance is zero.
  std::int64_t taken = 0;
  std::atomic<std::int64_t> balance{0};
  std::string endpoint_text;  // for the handles' messages; kept by the Node
};

class Backend {
 public:
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend() = default;

  // The URI schemes it serves, for as long as it lives.
  [[nodiscard]] virtual std::span<const std::string_view> schemes() const noexcept = 0;
  // The option keys it knows beside the common ones of qos.h.
  [[nodiscard]] virtual std::span<const std::string_view> option_keys() const noexcept { return {}; }
  // What it promises for such an endpoint.
  [[nodiscard]] virtual Capabilities capabilities(const Endpoint& endpoint) const noexcept = 0;

  // Joins a topic. The qos has been resolved and checked against capabilities(): what is not promised was refused.
  virtual Result<std::unique_ptr<PublisherPort>> publisher(const Endpoint& endpoint, const PublisherQos& qos) = 0;
  virtual Result<std::unique_ptr<SubscriberPort>> subscriber(const Endpoint& endpoint, const SubscriberQos& qos) = 0;

  // The topics that living processes use, and persistent ones. Refused with unsupported by default.
  virtual Result<std::vector<TopicDescription>> topics(const Endpoint& backend);
  // Erases a topic that nobody uses, with its history. Refused with unsupported by default.
  virtual Status remove(const Endpoint& endpoint);
};

// A backend that every Node finds, from a static object of the library that implements it (alwayslink in Bazel):
//   const weir::spi::Registration registration([] { return std::make_shared<ShmBackend>(); });
using BackendFactory = std::shared_ptr<Backend> (*)();

class Registration {
 public:
  explicit Registration(BackendFactory factory);
};

// Whom every Node asks for a scheme that none of its backends serves: backend_directory.h, if that is linked in. Null
// is for a scheme that it does not know either. What it returns stays as long as the process lives.
using BackendFinder = Result<Backend*> (*)(const Endpoint& endpoint);
void set_backend_finder(BackendFinder finder) noexcept;

}  // namespace weir::spi
