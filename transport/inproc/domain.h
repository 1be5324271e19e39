// All topics of one process, and the one mutex that guards everything of this backend.
//
//   Domain& domain = Domain::of_this_process();
//   const std::lock_guard lock(domain.mutex);
//   Topic& topic = domain.topics[name];
//
// A topic exists as long as somebody is on it. Publishers and subscribers enter themselves when they join and strike
// themselves off when they close, so the pointers in a topic always lead to living ports.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "transport/membership.h"

namespace weir::inproc {

class Publisher;
class Subscriber;

struct Topic {
  // Something has changed: rings all ports. With the mutex held.
  void ring() noexcept;

  std::map<PeerId, Peer> peers;  // of both roles
  std::vector<Publisher*> publishers;
  std::vector<Subscriber*> subscribers;
};

struct Domain {
  // Thread-safe. A domain is never destroyed, so that handles of static lifetime can still leave it. A forked child
  // begins with an empty one: that of its parent may be locked by a thread that the child does not have.
  [[nodiscard]] static Domain& of_this_process();

  std::mutex mutex;
  std::map<std::string, Topic, std::less<>> topics;  // guarded by the mutex, like all that a topic leads to
  PeerId next_id = 1;                                // guarded by the mutex

 private:
  Domain(std::uint64_t process, const Domain* inherited) : process_(process), inherited_(inherited) {}

  const std::uint64_t process_;                     // see process_generation()
  [[maybe_unused]] const Domain* const inherited_;  // the parent's, kept reachable for leak checkers and never touched
};

}  // namespace weir::inproc
