// The publishing end: lends messages, numbers them, hands each to every subscriber, retains history for those to come.
//
// Thread safety: see spi::Port; what is marked so needs the mutex of the domain held.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "transport/inproc/member.h"
#include "transport/inproc/message.h"

namespace weir::inproc {

class Publisher final : public Member<spi::PublisherPort> {
 public:
  // Joins a topic. Errors: incompatible.
  [[nodiscard]] static Result<std::unique_ptr<spi::PublisherPort>> join(const std::string& topic,
                                                                        const PublisherQos& qos);
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  ~Publisher() override { leave(); }

  void close() noexcept override { leave(); }
  Status loan(const spi::LoanRequest& request, spi::LoanRecord& record) override;
  Result<std::uint64_t> publish(spi::LoanRecord& record, std::optional<Deadline> deadline) override;
  void drop(spi::LoanRecord& record) noexcept override { lent_.erase(record.token); }
  Status wait_for_subscribers(std::uint64_t count, Deadline deadline, const std::stop_token& stop) override;
  Status wait_until_taken(std::uint64_t sequence, Deadline deadline, const std::stop_token& stop) override;

  [[nodiscard]] const PublisherQos& qos() const noexcept { return qos_; }
  // By the owner, or with the mutex held.
  [[nodiscard]] std::uint64_t next_sequence() const noexcept override { return next_sequence_; }
  // The newest samples, as many as the option `history` says. With the mutex held.
  [[nodiscard]] const std::deque<std::shared_ptr<const Message>>& retained() const noexcept { return retained_; }

 private:
  Publisher(Domain& home, const std::string& on_topic, const PublisherQos& qos);
  void leave() noexcept;
  [[nodiscard]] Status check_peers() const;
  void hand_out(const std::shared_ptr<const Message>& message);
  // The lossless subscriber that has no room; null if there is none. With the mutex held.
  [[nodiscard]] const Subscriber* obstacle() const noexcept;
  [[nodiscard]] bool ready() const noexcept override { return obstacle() == nullptr; }
  [[nodiscard]] bool notable() const noexcept override { return refused_ && ready(); }

  const PublisherQos qos_;
  const std::shared_ptr<Budget> budget_;
  // The owner's alone.
  std::map<std::uint64_t, std::shared_ptr<Message>> lent_;  // by token
  std::uint64_t next_token_ = 0;
  // Guarded by the mutex.
  std::deque<std::shared_ptr<const Message>> retained_;
  std::uint64_t next_sequence_ = 0;
  bool refused_ = false;  // the last publish met back-pressure
};

}  // namespace weir::inproc
