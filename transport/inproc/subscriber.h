// The subscribing end: one queue of unread samples for each publisher, and the samples that are in hand.
//
// Thread safety: see spi::Port; what is marked so needs the mutex of the domain held.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "transport/inproc/member.h"
#include "transport/inproc/message.h"

namespace weir::inproc {

class Publisher;

class Subscriber final : public Member<spi::SubscriberPort> {
 public:
  // Joins a topic. Errors: incompatible.
  [[nodiscard]] static Result<std::unique_ptr<spi::SubscriberPort>> join(const std::string& topic,
                                                                         const SubscriberQos& qos);
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;
  ~Subscriber() override { leave(); }

  void close() noexcept override { leave(); }
  Result<bool> take(spi::SampleRecord& record) override;
  void release(spi::SampleRecord& record) noexcept override;

  [[nodiscard]] const SubscriberQos& qos() const noexcept { return qos_; }

  // What publishers do here, all with the mutex held.
  // Receives a publisher from what it retains on.
  void publisher_joined(Publisher& publisher);
  // Nothing more will come; what is unread stays.
  void publisher_left(const Publisher& publisher) noexcept;
  // Whether a lossless subscriber has no room for another sample of this publisher.
  [[nodiscard]] bool blocks(const Publisher& publisher) const noexcept;
  // Whether a sample of this publisher up to `sequence` is unread.
  [[nodiscard]] bool still_has(const Publisher& publisher, std::uint64_t sequence) const noexcept;
  // Queues a sample beyond the depth; then either withdraw() takes it back or settle() applies the policy and wakes.
  void append(const Publisher& publisher, const std::shared_ptr<const Message>& message);
  void withdraw(const Publisher& publisher) noexcept;
  void settle(const Publisher& publisher) noexcept;

 private:
  struct Inbox {
    Publisher* publisher = nullptr;  // null once it has left
    std::uint64_t expected = 0;      // the sequence of the next sample, if none is lost
    std::deque<std::shared_ptr<const Message>> unread;
  };
  using Inboxes = std::map<PeerId, Inbox>;

  Subscriber(Domain& home, const std::string& on_topic, const SubscriberQos& qos);
  void leave() noexcept;
  [[nodiscard]] Status check_peers() const;
  // The inbox to take from, each in its turn; the end if all are empty.
  [[nodiscard]] Inboxes::iterator next_inbox() noexcept;
  [[nodiscard]] bool ready() const noexcept override;
  [[nodiscard]] bool notable() const noexcept override { return ready(); }

  const SubscriberQos qos_;
  // Guarded by the mutex.
  Inboxes inboxes_;
  PeerId last_taken_ = 0;                                         // whose turn it was
  std::map<std::uint64_t, std::shared_ptr<const Message>> held_;  // by token
  std::uint64_t next_token_ = 0;
};

}  // namespace weir::inproc
