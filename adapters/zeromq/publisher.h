// The publishing end, on an XPUB socket: subscription messages tell how many subscribers there are.
// plain_publisher.h does the common case in fewer instructions.
//
// Thread safety: see spi::Port.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <zmq.hpp>

#include "adapters/zeromq/connection.h"
#include "adapters/zeromq/outgoing.h"
#include "adapters/zeromq/slots.h"
#include "transport/backend.h"

namespace weir::zeromq {

class Publisher : public spi::PublisherPort {
 public:
  [[nodiscard]] static Result<std::unique_ptr<spi::PublisherPort>> open(const Endpoint& endpoint,
                                                                        const PublisherQos& qos);

  void close() noexcept override { connection_.close(); }
  [[nodiscard]] PeerId id() const noexcept override { return connection_.id(); }
  [[nodiscard]] const Capabilities& capabilities() const noexcept override { return connection_.capabilities(); }
  Result<Wake> wait(Deadline deadline, const std::stop_token& stop) override;
  Result<int> fd() override;
  Result<std::optional<MembershipEvent>> next_event() override;
  Result<std::vector<Peer>> peers() override;

  Status loan(const spi::LoanRequest& request, spi::LoanRecord& record) override;
  Result<std::uint64_t> publish(spi::LoanRecord& record, std::optional<Deadline> deadline) override;
  void drop(spi::LoanRecord& record) noexcept override;
  [[nodiscard]] std::uint64_t next_sequence() const noexcept override { return next_sequence_; }
  Status wait_for_subscribers(std::uint64_t count, Deadline deadline, const std::stop_token& stop) override;

  // For open().
  Publisher(Connection connection, const PublisherQos& qos);

 protected:
  [[nodiscard]] static Outgoing& loan_of(const spi::LoanRecord& record) noexcept {
    return *reinterpret_cast<Outgoing*>(record.token);
  }
  // publish() when sending a plain loan has failed, and nothing may be waited for.
  [[gnu::noinline]] Result<std::uint64_t> publish_plain_again(const Outgoing& loan);

 private:
  // loan() in all its cases.
  [[gnu::noinline]] Status loan_slowly(const spi::LoanRequest& request, spi::LoanRecord& record);
  // loan() when a plain one was refused its memory.
  [[gnu::noinline]] Status not_lent(const spi::LoanRecord& record);
  [[nodiscard]] Error no_memory(std::size_t size) const;
  // Bytes of payload that are in loans and in queues.
  [[nodiscard]] std::uint64_t lent_memory() const noexcept;
  Status refuse(const spi::LoanRequest& request, std::uint64_t used) const;

  // publish() when a try has failed with this errno.
  [[nodiscard]] Result<std::uint64_t> publish_again(spi::LoanRecord& record, int fault,
                                                    std::optional<Deadline> deadline);
  // Errno of one try: 0, EAGAIN, another.
  [[nodiscard]] int send(Outgoing& loan, const spi::LoanRecord& record);
  [[nodiscard]] Result<std::uint64_t> accepted() noexcept;

  // Takes in what subscribers have said, and all else that is in the mailbox. Errno.
  int listen() noexcept;
  // Whether something has happened since the last refusal that may have freed space. Never misses it: the mailbox is
  // emptied only after it was seen to have something.
  [[nodiscard]] bool look_for_space() noexcept;

  Connection connection_;

 protected:
  void* const socket_;  // of connection_
  std::uint64_t next_sequence_ = 0;
  std::uint32_t until_listening_ = 1;  // publishes

 private:
  const PublisherQos qos_;
  Slots<Outgoing> loans_;
  std::uint64_t plain_limit_ = 0;                                       // bytes that each of them may lend uncounted
  const std::shared_ptr<Budget> budget_ = std::make_shared<Budget>(0);  // bytes of our own
  std::uint64_t subscriptions_ = 0;
  bool refused_ = false;      // the last publish met back-pressure
  bool maybe_space_ = false;  // and something has happened since
  int fault_ = 0;             // of the last listen()
  Outgoing::Messages scratch_;
};

}  // namespace weir::zeromq
