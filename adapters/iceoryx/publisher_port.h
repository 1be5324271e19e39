// A publisher on iceoryx: what UntypedPublisher does, over the same port and the same building blocks, with two
// differences. It never waits for a mutex or a queue without looking whether the wait still makes sense, and a publish
// that would have to wait longer than it may leaves everything as it was.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include <iceoryx_posh/internal/popo/ports/publisher_port_user.hpp>

#include "adapters/iceoryx/attendant.h"
#include "adapters/iceoryx/bell.h"
#include "adapters/iceoryx/runtime.h"
#include "transport/backend.h"

namespace weir::iceoryx {

class PublisherPort final : public spi::PublisherPort, private Attended {
 public:
  // Errors: those of Node::publisher.
  [[nodiscard]] static Result<std::unique_ptr<spi::PublisherPort>> join(std::shared_ptr<Runtime> runtime,
                                                                        const Endpoint& endpoint,
                                                                        const PublisherQos& qos);
  PublisherPort(const PublisherPort&) = delete;
  PublisherPort& operator=(const PublisherPort&) = delete;
  ~PublisherPort() override;

  Status loan(const spi::LoanRequest& request, spi::LoanRecord& record) override;
  Result<std::uint64_t> publish(spi::LoanRecord& record, std::optional<Deadline> deadline) override;
  void drop(spi::LoanRecord& record) noexcept override;

  void close() noexcept override;
  [[nodiscard]] PeerId id() const noexcept override { return id_; }
  [[nodiscard]] const Capabilities& capabilities() const noexcept override;
  Result<Wake> wait(Deadline deadline, const std::stop_token& stop) override;
  Status wait_for_subscribers(std::uint64_t count, Deadline deadline, const std::stop_token& stop) override;
  Result<int> fd() override;
  Result<std::optional<MembershipEvent>> next_event() override;
  Result<std::vector<Peer>> peers() override;

 private:
  using Data = iox::popo::PublisherPortData;
  using Queue = Data::ChunkQueueData_t;
  using Queues = Data::ChunkDistributorData_t::QueueContainer_t;

  PublisherPort(std::shared_ptr<Runtime> runtime, std::string topic, Data& data, const PublisherQos& qos);

  void look() noexcept override;
  [[nodiscard]] bool impatient() const noexcept override;

  // Null while the port is RouDi's and ours: else why nothing can be done.
  [[nodiscard]] const Error* lost() noexcept {
    if (const Error* gone = runtime_->gone(); gone != nullptr) [[unlikely]]
      return gone;
    return struck_off() ? strike() : nullptr;
  }
  // RouDi has destroyed the port, or given its place to another: it took this process for dead.
  [[nodiscard]] bool struck_off() const noexcept {
    return !data_.m_offeringRequested.load(std::memory_order_relaxed) ||
           static_cast<std::uint64_t>(data_.m_uniqueId) != id_;
  }
  const Error* strike() noexcept;

  Error loan_refusal(const spi::LoanRequest& request, iox::popo::AllocationError error) const;
  // With the lock of the port held.
  [[nodiscard]] bool held_back() const noexcept;
  // False: the queue is full and its owner wants to lose nothing.
  bool push(Queue& queue, const iox::mepoo::SharedChunk& chunk) noexcept;
  // Notes whether somebody receives a sample who did not receive the one before.
  void note_joins(std::uint64_t sequence) noexcept;
  void retain(const iox::mepoo::SharedChunk& chunk) noexcept;
  void hand_out_rest(const iox::mepoo::SharedChunk& chunk, Queues& waiting);
  tl::unexpected<Error> back_pressure();
  // Empty: it cannot be known.
  [[nodiscard]] std::optional<bool> has_space() noexcept;

  const std::shared_ptr<Runtime> runtime_;
  const std::string topic_;
  const PublisherQos qos_;
  Data& data_;
  iox::popo::PublisherPortUser port_;
  const PeerId id_;
  const bool blocks_;
  std::uint64_t largest_chunk_ = 0;
  std::uint64_t joined_at_ = 0;     // the first sample that the newest subscriber receives
  std::uint64_t newest_queue_ = 0;  // RouDi's number of the newest that a sample went to
  std::uint64_t last_queue_ = 0;    // of the last publish: the number of the last, and how many there were
  std::uint64_t queue_count_ = 0;
  bool stuck_queues_ = false;  // a queue's mutex was not to be had
  std::atomic<bool> refused_{false};
  bool attended_ = false;
  Bell bell_;
};

}  // namespace weir::iceoryx
