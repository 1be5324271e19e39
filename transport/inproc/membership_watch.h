// Membership events by looking: what one port has been told of the other role, against who is there now.
//
//   MembershipWatch watch(Role::subscriber);
//   while (auto event = watch.next(topic.peers)) { … }
//
// A peer that came and went between two looks leaves no event, as the interface allows; so nothing is queued for a port
// that never looks, and leaving a topic needs no memory. Thread safety: the mutex of the domain.
#pragma once

#include <map>
#include <optional>

#include "transport/membership.h"

namespace weir::inproc {

class MembershipWatch {
 public:
  using Peers = std::map<PeerId, Peer>;

  explicit MembershipWatch(Role watched) : watched_(watched) {}

  // Whether next() has something. Never before the first look: who does not want events is not bothered.
  [[nodiscard]] bool pending(const Peers& peers) const noexcept;

  // The next event; whom the first look finds has joined.
  [[nodiscard]] std::optional<MembershipEvent> next(const Peers& peers);

 private:
  [[nodiscard]] Peers::const_iterator newcomer(const Peers& peers) const noexcept;
  [[nodiscard]] Peers::const_iterator leaver(const Peers& peers) const noexcept;

  const Role watched_;
  bool looked_ = false;
  Peers known_;  // whose `joined` was told and whose `left` was not
};

}  // namespace weir::inproc
