// What publishers and subscribers have in common: a place on a topic, a bell, and an eye on the other role.
//
// Thread safety: see spi::Port; what is marked so needs the mutex of the domain held.
#pragma once

#include <unistd.h>

#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "transport/backend.h"
#include "transport/inproc/bell.h"
#include "transport/inproc/domain.h"
#include "transport/inproc/membership_watch.h"

namespace weir::inproc {

inline constexpr Capabilities promised = {
    .zero_copy = true,
    .across_processes = false,
    .sequence = true,
    .exact_loss = true,
    .publish_time = true,
    .user_header = true,
    .types = true,
    .drop_oldest = true,
    .drop_newest = true,
    .lossless_block = true,
    .lossless_reject = true,
    .negotiates_policy = true,
    .exact_depth = true,
    .survives_publisher = true,
    .persistence = false,
    .death_events = false,
    .lists_topics = true,
    .membership = MembershipView::full,
    .max_header = spi::max_header_size,
};

// `Interface` is spi::PublisherPort or spi::SubscriberPort.
template <class Interface>
class Member : public Interface {
 public:
  [[nodiscard]] PeerId id() const noexcept final { return peer_.id; }
  [[nodiscard]] const Capabilities& capabilities() const noexcept final { return promised; }
  [[nodiscard]] const Peer& peer() const noexcept { return peer_; }

  Result<Wake> wait(Deadline deadline, const std::stop_token& stop) final {
    std::unique_lock lock(domain_.mutex);
    return bell_.wait(lock, deadline, stop, [this] { return ready(); });
  }

  Result<int> fd() final {
    const std::lock_guard lock(domain_.mutex);
    Result<int> descriptor = bell_.fd();
    ring();
    return descriptor;
  }

  Result<std::optional<MembershipEvent>> next_event() final {
    const std::lock_guard lock(domain_.mutex);
    std::optional<MembershipEvent> event = watch_.next(topic_->peers);
    ring();
    return event;
  }

  Result<std::vector<Peer>> peers() final {
    const std::lock_guard lock(domain_.mutex);
    std::vector<Peer> others;
    for (const auto& [id, other] : topic_->peers) {
      if (other.role != peer_.role) {
        others.push_back(other);
      }
    }
    return others;
  }

  // After every change that may concern this port. With the mutex held.
  void ring() noexcept { bell_.ring(notable() || watch_.pending(topic_->peers)); }

 protected:
  Member(Domain& domain, std::string topic, Role role, std::string name)
      : domain_(domain),
        topic_name_(std::move(topic)),
        peer_{.role = role, .name = std::move(name), .pid = getpid()},
        watch_(role == Role::publisher ? Role::subscriber : Role::publisher) {}

  // The steps of a join, with the mutex held: on to the topic, and visible to all. Between them comes what may fail.
  void enter() {
    topic_ = &domain_.topics[topic_name_];
    peer_.id = domain_.next_id++;
  }
  void appear() {
    topic_->peers.emplace(peer_.id, peer_);
    topic_->ring();
  }

  // The last step of leaving, with the mutex held and after any step of a join: the last one out removes the topic.
  void disappear() noexcept {
    topic_->peers.erase(peer_.id);
    topic_->ring();
    if (topic_->publishers.empty() && topic_->subscribers.empty()) {
      domain_.topics.erase(topic_name_);
    }
    topic_ = nullptr;
    bell_.close();
  }

  // Whether wait() would return at once, and whether fd() is readable for that reason. With the mutex held.
  [[nodiscard]] virtual bool ready() const noexcept = 0;
  [[nodiscard]] virtual bool notable() const noexcept = 0;

  Domain& domain_;
  const std::string topic_name_;
  Peer peer_;
  Topic* topic_ = nullptr;  // while joined
  Bell bell_;
  MembershipWatch watch_;
};

}  // namespace weir::inproc
