#include "conformance/performance/peer_list.h"

#include <algorithm>
#include <utility>

namespace weir::performance {
namespace {

// Peers are added before main().
std::vector<Peer>& list() {
  static std::vector<Peer> peers;
  return peers;
}

}  // namespace

bool carries(const Abilities& abilities, const Task& task) noexcept {
  const bool waits = task.load != Load::publish_cost;
  if (task.message.size > abilities.most || (waits && !(task.blocking ? abilities.blocks : abilities.spins))) {
    return false;
  }
  if (task.most_queued > usual_most_queued && !abilities.deepens) {
    return false;
  }
  switch (task.load) {
    case Load::latency:
      return true;
    case Load::stream:
      return abilities.streams;
    case Load::fan_out:
      return abilities.streams && abilities.fans_out;
    case Load::fan_in:
      return abilities.streams && abilities.fans_in;
    case Load::publish_cost:
      return abilities.drops;
    case Load::recovery:
      return abilities.recovers && !abilities.threads;
    case Load::many_topics:
      return abilities.listens;
  }
  return false;
}

bool add_peer(Peer peer) {
  list().push_back(std::move(peer));
  std::stable_sort(list().begin(), list().end(), [](const Peer& a, const Peer& b) { return a.rank < b.rank; });
  return true;
}

const std::vector<Peer>& peers() { return list(); }

}  // namespace weir::performance
