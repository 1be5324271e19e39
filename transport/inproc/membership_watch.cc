#include "transport/inproc/membership_watch.h"

#include <algorithm>
#include <utility>

namespace weir::inproc {

MembershipWatch::Peers::const_iterator MembershipWatch::newcomer(const Peers& peers) const noexcept {
  return std::find_if(peers.begin(), peers.end(), [this](const auto& entry) {
    return entry.second.role == watched_ && !known_.contains(entry.first);
  });
}

MembershipWatch::Peers::const_iterator MembershipWatch::leaver(const Peers& peers) const noexcept {
  return std::find_if(known_.begin(), known_.end(), [&](const auto& entry) { return !peers.contains(entry.first); });
}

bool MembershipWatch::pending(const Peers& peers) const noexcept {
  return looked_ && (leaver(peers) != known_.end() || newcomer(peers) != peers.end());
}

std::optional<MembershipEvent> MembershipWatch::next(const Peers& peers) {
  looked_ = true;
  if (const auto gone = leaver(peers); gone != known_.end()) {
    MembershipEvent event{Change::left, gone->second};
    known_.erase(gone);
    return event;
  }
  if (const auto come = newcomer(peers); come != peers.end()) {
    MembershipEvent event{Change::joined, come->second};
    known_.insert(*come);
    return event;
  }
  return std::nullopt;
}

}  // namespace weir::inproc
