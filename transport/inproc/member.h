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
    .acknowledgement = true,
    .membership = MembershipView::full,
    .max_header = spi::max_header_size,
};

// `Interface` is spi::PublisherPort or spi::SubscriberPort.
template <class Interface>
class Member : public Interface {
 public:
  [[nodiscard]] PeerId id() const noexcept final { return self.id; }
  [[nodiscard]] const Capabilities& capabilities() const noexcept final { return promised; }
  [[nodiscard]] const Peer& peer() const noexcept { return self; }

  Result<Wake> wait(Deadline deadline, const std::stop_token& stop) final {
    std::unique_lock lock(domain.mutex);
    return bell.wait(lock, deadline, stop, [this] { return ready(); });
  }

  Result<int> fd() final {
    const std::lock_guard lock(domain.mutex);
    Result<int> descriptor = bell.fd();
    ring();
    return descriptor;
  }

  Result<std::optional<MembershipEvent>> next_event() final {
    const std::lock_guard lock(domain.mutex);
    std::optional<MembershipEvent> event = watch.next(topic->peers);
    ring();
    return event;
  }

  Result<std::vector<Peer>> peers() final {
    const std::lock_guard lock(domain.mutex);
    std::vector<Peer> others;
    for (const auto& [id, other] : topic->peers) {
      if (other.role != self.role) {
        others.push_back(other);
      }
    }
    return others;
  }

  // After every change that may concern this port. With the mutex held.
  void ring() noexcept { bell.ring(notable() || watch.pending(topic->peers)); }

 protected:
  Member(Domain& home, std::string on_topic, Role role, std::string name)
      : domain(home),
        topic_name(std::move(on_topic)),
        self{.role = role, .name = std::move(name), .pid = getpid()},
        watch(role == Role::publisher ? Role::subscriber : Role::publisher) {}

  // The steps of a join, with the mutex held: on to the topic, and visible to all. Between them comes what may fail.
  void enter() {
    topic = &domain.topics[topic_name];
    self.id = domain.next_id++;
  }
  void appear() {
    topic->peers.emplace(self.id, self);
    topic->ring();
  }

  // The last step of leaving, with the mutex held and after any step of a join: the last one out removes the topic.
  void disappear() noexcept {
    topic->peers.erase(self.id);
    topic->ring();
    if (topic->publishers.empty() && topic->subscribers.empty()) {
      domain.topics.erase(topic_name);
    }
    topic = nullptr;
    bell.close();
  }

  // Whether wait() would return at once, and whether fd() is readable for that reason. With the mutex held.
  [[nodiscard]] virtual bool ready() const noexcept = 0;
  [[nodiscard]] virtual bool notable() const noexcept = 0;

  // NOLINTBEGIN(readability-identifier-naming): of the derived classes as much as of this one
  Domain& domain;
  const std::string topic_name;
  Peer self;
  Topic* topic = nullptr;  // while joined
  Bell bell;
  MembershipWatch watch;
  // NOLINTEND(readability-identifier-naming)
};

}  // namespace weir::inproc
