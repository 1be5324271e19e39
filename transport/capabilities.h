// What a backend promises. What it does not promise it refuses with `unsupported`; it never degrades silently.
//
//   auto capabilities = node.capabilities("iceoryx://Radar/Front/Object");
//   if (capabilities && !capabilities->exact_loss) { … }
//
// The conformance suite holds a backend to this structure in both directions, but for zero_copy, which is taken on
// trust.
#pragma once

#include <cstdint>
#include <limits>

namespace weir {

// How much a backend knows of the peers of a topic.
enum class MembershipView : std::uint8_t {
  none,           // nothing
  any_or_none,    // whether there is a subscriber at all
  subscriptions,  // how many subscribers, but not who
  full,           // who is there, on both sides, with events
};

inline constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

struct Capabilities {
  bool zero_copy = false;           // a sample is the publisher's own memory
  bool across_processes = false;    // peers may be other processes
  bool sequence = false;            // samples carry the publisher's sequence number
  bool exact_loss = false;          // lost_before() is the exact number
  bool publish_time = false;        // samples carry the time of their publication
  bool user_header = false;         // messages carry a user header of their own
  bool types = false;               // a type mismatch is an error at join
  bool drop_oldest = false;         // SlowPolicy::drop_oldest
  bool drop_newest = false;         // SlowPolicy::drop_newest
  bool lossless_block = false;      // SlowPolicy::lossless with Grant::block
  bool lossless_reject = false;     // SlowPolicy::lossless with Grant::reject
  bool negotiates_policy = false;   // pairs that do not fit are an error at join, naming both
  bool exact_depth = false;         // depth is exact; otherwise a lower bound
  bool survives_publisher = false;  // what publish accepted reaches attached subscribers whatever the publisher's end
  bool persistence = false;         // Durability::persistent
  bool in_hand_list = false;        // Subscriber::in_hand_at_death()
  bool death_events = false;        // the death of a peer is an event
  bool lists_topics = false;        // Node::topics()
  bool acknowledgement = false;     // Publisher::wait_until_taken()
  MembershipView membership = MembershipView::none;
  std::uint64_t max_depth = unlimited;    // largest `depth`
  std::uint64_t max_history = unlimited;  // largest `history`; 0: no history at all
  std::uint64_t max_header = unlimited;   // bytes of a user header
  std::uint64_t max_loans = unlimited;    // largest `loans`
  std::uint64_t max_held = unlimited;     // largest `held`

  friend bool operator==(const Capabilities&, const Capabilities&) = default;
};

}  // namespace weir
