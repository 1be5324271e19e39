// How far a publisher may go, and what it may give up: the floor, the gate and early retirement.
//
// Protocol. FLOOR, a word in the publisher's segment, says: no newcomer is promised a sample below this. The publisher
// that grants something overwrites sample n - N, and any publisher retires a sample early, only if that lies below the
// floor. (With grant=drop it overwrites without a look: sample n - N lies below n - depth - history, so it is owed to
// no subscriber that may be there, and newcomers begin above it.) To raise the floor, the publisher
//
//   1. takes the oldest sample that somebody attached still wants, at most next - history, and stores it as the floor;
//   2. looks at the epoch, lists the subscribers again if it has changed, and looks at all cursors again;
//   3. lowers the floor to what they want now, but never below what it has overwritten or retired already.
//
// A newcomer stores its cursor and then looks at the floor, and moves up until the floor is not above it. So either the
// publisher, in step 2, sees the cursor, or the newcomer sees the floor of step 1: nobody relies on a sample that goes.
// (docs/model, m5.)
//
// The gate is the lowest cursor + depth among lossless subscribers: publishing stops there. It is looked up again only
// when it is reached, when the epoch has changed, or while one of them was still joining at the last look.
//
// Ownership. The floor is written by the publisher alone. Memory order: floor and cursors are sequentially consistent.
// If the process dies here: the floor stands as it is; nothing below it is owed to anybody.
#pragma once

#include <algorithm>
#include <cstdint>

#include "transport/shm/ring.h"
#include "transport/shm/subscriber_list.h"

namespace weir::shm {

class PublisherFlow {
 public:
  PublisherFlow(PublisherHeader& header, RingWriter ring, SubscriberList& subscribers, const PublisherQos& qos) noexcept
      : header_(header),
        ring_(ring),
        subscribers_(subscribers),
        history_(qos.history),
        grants_(qos.grant != Grant::drop),
        limit_(grants_ ? 0 : unlimited) {}

  // For the successor of a durable publisher: what is below is retired or overwritten.
  void begin_at(std::uint64_t intact_from) noexcept { retired_ = intact_from; }

  [[nodiscard]] RingWriter& ring() noexcept { return ring_; }

  // Whether sample `next` may be published now; false if that cannot be known without looking.
  [[nodiscard]] bool admits(std::uint64_t next) const noexcept {
    return !grants_ || (next < limit_ && settled_ && subscribers_.is_epoch(epoch_));
  }
  // Whether it might be published when refresh() has just looked.
  [[nodiscard]] bool admitted(std::uint64_t next) const noexcept { return next < limit_; }
  [[nodiscard]] bool settled() const noexcept { return settled_; }

  // As refresh() found it.
  [[nodiscard]] std::uint64_t floor() const noexcept { return floor_; }

  // Looks again: steps 1 to 3.
  void refresh(std::uint64_t next) {
    const std::uint64_t intact = std::max(retired_, next - std::min(next, ring_.size()));
    const std::uint64_t kept = next - std::min(next, history_);
    const std::uint64_t before = floor_;
    floor_ = std::max(std::min(subscribers_.needs(next).oldest, kept), intact);
    header_.floor.exchange(floor_, std::memory_order_seq_cst);
    subscribers_.refresh();
    const SubscriberList::Needs needs = subscribers_.needs(next);
    // Somebody who cannot be seen may want whatever was promised before.
    const std::uint64_t wanted = subscribers_.is_complete() ? needs.oldest : std::min(needs.oldest, before);
    if (wanted < floor_) {
      floor_ = std::max(wanted, intact);
      header_.floor.store(floor_, std::memory_order_seq_cst);
    }
    if (grants_) {
      limit_ = std::min(needs.gate, floor_ + ring_.size());
      settled_ = needs.settled;
      epoch_ = subscribers_.listed_epoch();
    }
  }

  // Retires what lies below the floor and was not retired or overwritten before; hands each chunk to `retire`.
  template <class Retire>
  void retire_unwanted(std::uint64_t next, Retire retire) {
    const std::uint64_t first = std::max(retired_, next - std::min(next, ring_.size()));
    for (std::uint64_t sequence = first; sequence < floor_; ++sequence) {
      ring_.expect_to_retire(sequence);
    }
    for (std::uint64_t sequence = first; sequence < floor_; ++sequence) {
      if (const ChunkRef chunk = ring_.retire(sequence)) {
        retire(chunk);
      }
    }
    retired_ = std::max(retired_, floor_);
  }

 private:
  PublisherHeader& header_;
  RingWriter ring_;
  SubscriberList& subscribers_;
  std::uint64_t history_;
  bool grants_;                // some lossless subscriber might be there
  bool settled_ = true;        // the gate holds until the epoch changes
  std::uint64_t epoch_ = 0;    // of the list from which the gate was taken; others refresh the list too
  std::uint64_t limit_;        // publishing stops before this sequence until refresh()
  std::uint64_t floor_ = 0;    // as in the header
  std::uint64_t retired_ = 0;  // all below is retired or overwritten
};

}  // namespace weir::shm
