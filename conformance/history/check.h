// The checkers: pure functions from events to violations.
//
//   auto violations = check_order(log);
//   append(violations, check_losses(log));
//   EXPECT_TRUE(violations.empty()) << join(violations);
//
// Each takes the events of one handle in the order in which they happened, looks at the kinds that it is about, and
// ignores the rest. Each publisher of a stream is judged by itself: between publishers there is no order.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "conformance/history/event.h"

namespace weir::conformance {

using Violations = std::vector<std::string>;  // sentences; none is good
using Events = std::span<const Event>;

// The events of one handle of a peer.
[[nodiscard]] std::vector<Event> of_port(Events events, std::uint16_t port);
// The events of one kind.
[[nodiscard]] std::vector<Event> of_kind(Events events, EventKind kind);
// The samples taken that this publisher sent.
[[nodiscard]] std::vector<Event> taken_from(Events events, PeerId publisher);
// The publishers whose samples were taken, each once, in order of appearance.
[[nodiscard]] std::vector<PeerId> publishers_of(Events events);

// ---- What a subscriber received ----

// Samples of one publisher come in sequence order, none twice.
[[nodiscard]] Violations check_order(Events subscriber);

// No sample has a fault, neither when it was taken nor when it was released: none torn, none mixed up with another.
[[nodiscard]] Violations check_content(Events subscriber);

// From the first sample of a publisher on, `lost_before` is exactly the distance to the sample before.
[[nodiscard]] Violations check_losses(Events subscriber);

// A wait returned `ready` only with something to take.
[[nodiscard]] Violations check_wakes(Events subscriber);

// Every number in [first, end) of this publisher was received or announced lost, and no other: received plus the sum of
// lost_before is the range. Implies check_losses for this publisher.
[[nodiscard]] Violations check_range(Events subscriber, PeerId publisher, std::uint64_t first, std::uint64_t end);

// The seam of history: the stream of this publisher begins (its first sample less what is announced lost before it)
// with the newest `history` samples of some moment of the join, of which only bounds are known: `least` were published
// before the join began, `most` before it ended.
[[nodiscard]] Violations check_seam(Events subscriber, PeerId publisher, std::uint64_t history, std::uint64_t least,
                                    std::uint64_t most);

// ---- What a publisher sent ----

// Published numbers are 0, 1, 2 …: what was held back or dropped spent none.
[[nodiscard]] Violations check_numbers(Events publisher);

// ---- Both ----

// Every sample received was published, with these sizes. A publish that had begun when its process died may have
// succeeded; one that was held back for good must not have.
[[nodiscard]] Violations check_origin(Events subscriber, Events publisher);

// Every sample from `first` on that publish accepted was received: a lossless stream, whatever became of the publisher.
[[nodiscard]] Violations check_accepted(Events subscriber, Events publisher, std::uint64_t first);

// ---- For messages ----

void append(Violations& all, Violations more);
[[nodiscard]] std::string join(const Violations& violations);

}  // namespace weir::conformance
