// The publishing end, on an XPUB socket: subscription messages tell how many subscribers there are.
//
// Thread safety: see spi::Port.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <zmq.hpp>

#include "adapters/zeromq/attachment.h"
#include "adapters/zeromq/context.h"
#include "adapters/zeromq/envelope.h"
#include "adapters/zeromq/options.h"
#include "adapters/zeromq/outgoing.h"
#include "adapters/zeromq/waiter.h"
#include "transport/backend.h"

namespace weir::zeromq {

class Publisher final : public spi::PublisherPort {
 public:
  [[nodiscard]] static Result<std::unique_ptr<spi::PublisherPort>> open(const Endpoint& endpoint,
                                                                        const PublisherQos& qos);
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  ~Publisher() override { close(); }

  void close() noexcept override;
  [[nodiscard]] PeerId id() const noexcept override { return id_; }
  [[nodiscard]] const Capabilities& capabilities() const noexcept override { return capabilities_; }
  Result<Wake> wait(Deadline deadline, const std::stop_token& stop) override;
  Result<int> fd() override;
  Result<std::optional<MembershipEvent>> next_event() override;
  Result<std::vector<Peer>> peers() override;

  Status loan(const spi::LoanRequest& request, spi::LoanRecord& record) override;
  Result<std::uint64_t> publish(spi::LoanRecord& record, std::optional<Deadline> deadline) override;
  void drop(spi::LoanRecord& record) noexcept override;
  [[nodiscard]] std::uint64_t next_sequence() const noexcept override { return next_sequence_; }
  Status wait_for_subscribers(std::uint64_t count, Deadline deadline, const std::stop_token& stop) override;

 private:
  Publisher(const Capabilities& capabilities, Options options, const PublisherQos& qos, Socket socket, int mailbox);

  [[nodiscard]] static Outgoing& loan_of(const spi::LoanRecord& record) noexcept {
    return *reinterpret_cast<Outgoing*>(record.token);
  }
  // Errno of one try: 0, EAGAIN, another.
  [[nodiscard]] int send(Outgoing& loan, const spi::LoanRecord& record);
  [[nodiscard]] int send_with_envelope(Outgoing& loan, const spi::LoanRecord& record);
  [[nodiscard]] Result<std::uint64_t> publish_again(spi::LoanRecord& record, int fault,
                                                    std::optional<Deadline> deadline);
  [[nodiscard]] std::uint64_t accepted(const spi::LoanRecord& record) noexcept;
  Status refuse(const spi::LoanRequest& request) const;

  // Takes in what subscribers have said, and all else that is in the mailbox. Errno.
  int listen() noexcept;
  // Whether something has happened since the last refusal that may have freed space. Never misses it: the mailbox is
  // emptied only after it was seen to have something.
  [[nodiscard]] bool look_for_space() noexcept;
  [[nodiscard]] Error fault_error(std::string_view what, int fault) const;

  const Capabilities capabilities_;
  const Options options_;
  const PublisherQos qos_;
  const PeerId id_ = make_peer_id();
  Socket socket_;
  zmq::socket_ref native_;
  Waiter waiter_;
  Attachment attachment_;

  std::deque<Outgoing> loans_;                                          // all there ever were
  std::vector<Outgoing*> unused_;                                       // of them; room for all
  std::uint64_t lent_ = 0;                                              // bytes lent of libzmq's memory
  const std::shared_ptr<Budget> budget_ = std::make_shared<Budget>(0);  // bytes of our own

  std::uint64_t next_sequence_ = 0;
  std::uint64_t subscriptions_ = 0;
  std::uint32_t until_listening_;  // publishes
  bool refused_ = false;           // the last publish met back-pressure
  bool maybe_space_ = false;       // and something has happened since
  int fault_ = 0;                  // of the last listen()
  Outgoing::Messages scratch_;
};

}  // namespace weir::zeromq
