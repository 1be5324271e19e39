// Who is on a topic, and what changes.
//
//   while (auto event = publisher.next_event()) {
//     if (!*event) break;                      // nothing new
//     log("{} {}", (*event)->peer.name, to_string((*event)->change));
//   }
//
// A publisher sees subscribers, a subscriber sees publishers. An observer learns of a peer by looking: one that came
// and went between two looks may leave no event. Events of one peer come in order, and never `left` and `died` both.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

using PeerId = std::uint64_t;  // unique among the peers of a topic, never 0, not reused by another peer

enum class Role : std::uint8_t { publisher, subscriber };

struct Peer {
  Role role = Role::publisher;
  PeerId id = 0;
  std::string name;      // as given by the option `name`; may be empty
  std::int64_t pid = 0;  // for people only: in another PID namespace it means nothing; 0 if unknown
  bool alive = true;     // false: died, and something of it is still wanted

  friend bool operator==(const Peer&, const Peer&) = default;
};

enum class Change : std::uint8_t {
  joined,
  left,  // closed properly
  died,  // its process ended, in whatever way, without closing
};

struct MembershipEvent {
  Change change = Change::joined;
  Peer peer;
};

// A sample that a subscriber had taken and not released: Subscriber::in_hand_at_death().
struct InHand {
  PeerId publisher = 0;
  std::uint64_t sequence = 0;

  friend bool operator==(const InHand&, const InHand&) = default;
};

// One topic as Node::topics() lists it.
struct TopicDescription {
  std::string topic;
  std::vector<Peer> peers;
};

[[nodiscard]] std::string_view to_string(Role role) noexcept;
[[nodiscard]] std::string_view to_string(Change change) noexcept;

}  // namespace weir
