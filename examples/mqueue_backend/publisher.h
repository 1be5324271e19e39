// The publishing end: sends each message to the queue of every subscriber that lives.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "queue.h"
#include "topic.h"
#include "transport/backend.h"

namespace mqueue {

class Publisher final : public weir::spi::PublisherPort {
 public:
  Publisher(Topic topic, const weir::PublisherQos& qos, const weir::Capabilities& promised);
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  ~Publisher() override { close(); }

  void close() noexcept override;
  [[nodiscard]] weir::PeerId id() const noexcept override { return id_; }
  [[nodiscard]] const weir::Capabilities& capabilities() const noexcept override { return promised_; }
  weir::Result<weir::Wake> wait(weir::Deadline deadline, const std::stop_token& stop) override;
  weir::Result<int> fd() override;
  weir::Result<std::optional<weir::MembershipEvent>> next_event() override;
  weir::Result<std::vector<weir::Peer>> peers() override;

  weir::Status loan(const weir::spi::LoanRequest& request, weir::spi::LoanRecord& record) override;
  weir::Result<std::uint64_t> publish(weir::spi::LoanRecord& record, std::optional<weir::Deadline> deadline) override;
  void drop(weir::spi::LoanRecord& record) noexcept override;
  [[nodiscard]] std::uint64_t next_sequence() const noexcept override { return next_; }
  weir::Status wait_for_subscribers(std::uint64_t count, weir::Deadline deadline, const std::stop_token& stop) override;

 private:
  struct Connection {
    Queue queue;
    bool behind = false;  // its thread did not make room in time: no more waiting until it does
  };
  // Opens the queues of those who have come, and forgets those who went.
  void look_around();
  [[nodiscard]] weir::Result<int> write_file(const weir::spi::LoanRecord& record) const;

  Topic topic_;
  std::uint64_t memory_;
  weir::Capabilities promised_;
  weir::PeerId id_ = random_id();
  std::uint64_t next_ = 0;
  std::uint64_t lent_ = 0;  // bytes
  int descriptor_ = -1;
  std::map<std::string, Connection> connections_;
};

}  // namespace mqueue
