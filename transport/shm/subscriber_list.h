// The subscribers of a topic as one of its publishers sees them.
//
// The list is what the directory held when the epoch had its remembered value; it is read again when the epoch has
// changed. The order matters: the epoch first, then the directory, so that whoever raised the epoch later is found
// later.
//
// Thread safety: none; it belongs to the publisher.
#pragma once

#include <cstdint>
#include <vector>

#include "transport/shm/doorbell.h"
#include "transport/shm/membership_log.h"
#include "transport/shm/segment.h"
#include "transport/shm/topic_directory.h"

namespace weir::shm {

class SubscriberList {
 public:
  // `topic` must outlive the list. `self` is the publisher.
  // `depth` and `grant`: what the publisher offers; subscribers that adapt have no more.
  SubscriberList(TopicDirectory& topic, PeerId self, std::uint64_t depth, Grant grant)
      : topic_(topic), counters_(topic.counters()), self_(self), depth_(depth), grant_(grant) {}

  // Whether somebody joined or left since the last refresh(). One load.
  [[nodiscard]] bool is_stale() const noexcept { return counters_.epoch.load(std::memory_order_acquire) != epoch_; }
  // The epoch that the list is of; and whether that is still the epoch. One load.
  [[nodiscard]] std::uint64_t listed_epoch() const noexcept { return epoch_; }
  [[nodiscard]] bool is_epoch(std::uint64_t epoch) const noexcept {
    return counters_.epoch.load(std::memory_order_acquire) == epoch;
  }
  // Reads the directory again if the epoch has changed. Also removes what dead subscribers left there.
  void refresh();
  // False: somebody is there whose pins and cursor this process cannot see, for want of descriptors or mappings. Then
  // nothing may be used again, and the floor must stay.
  [[nodiscard]] bool is_complete() const noexcept { return epoch_ != no_epoch; }

  // What the subscribers still want when the publisher is about to publish `next`.
  struct Needs {
    std::uint64_t oldest;  // the oldest sample that somebody attached still wants; `next` or more if none
    std::uint64_t gate;    // publishing stops before this sequence, for lossless subscribers; ~0 without any
    bool settled;          // no lossless subscriber is still joining, so that the gate holds until the epoch changes
  };
  [[nodiscard]] Needs needs(std::uint64_t next) noexcept;

  // Appends the chunks of this publisher that subscribers pin now.
  void collect_pins(std::vector<std::uint64_t>& pinned);

  // Tests the locks of lossless ones that keep the gate at or below `sequence` or are still joining; leaves the dead
  // out. True: there was one.
  bool drop_dead_gates(std::uint64_t sequence);
  // Whom a publisher waits for that has no space: the lossless subscriber whose gate is the lowest. 0 if that cannot be
  // told.
  [[nodiscard]] PeerId furthest_behind() noexcept;
  // Tests the locks of all. True: there was a dead one.
  bool drop_dead();
  // Its life FIFO has hung up: that owner has ended, though a durable subscriber may have another by now.
  void note_hang_up(PeerId id);

  // Wakes those who sleep and have not been woken by us for this sleep.
  void wake_sleepers();
  // Makes everybody look: after joining, leaving, taking over.
  void wake_all();

  // Those that have joined and live, as far as the list knows.
  [[nodiscard]] std::uint64_t joined() const noexcept;
  [[nodiscard]] std::vector<Peer> peers() const;
  // What does not fit between this offer and a subscriber; empty if all fit.
  [[nodiscard]] std::string misfit_with(const Offer& offer) const;

  // Starts to record events, with a `joined` for everybody there is.
  void record_events();
  [[nodiscard]] MembershipLog& log() noexcept { return log_; }

  // Adds the life FIFOs of present and future subscribers to this epoll set, so that it shows deaths.
  void watch_with(int epoll);

 private:
  struct Entry {
    SubscriberSegment segment;
    std::size_t cursor = cursor_count;  // our entry of its table; cursor_count while there is none
    std::uint64_t rung = 0;             // the last `asleep` word that we rang for
    std::uint64_t born = 0;             // SubscriberHeader::born of the owner that we know of
    bool announced = false;             // `joined` is in the log
    WatchedLife life;                   // its life FIFO, if we watch
    File wake;                          // its wake FIFO, once needed
  };

  // False: it is there, but cannot be looked at for want of descriptors or mappings.
  bool add(PeerId id);
  void watch(Entry& entry);
  void announce(Entry& entry);
  void log_end(Entry& entry, bool dead);
  // Every listing finds it again: it is told once.
  void leave_out(PeerId id, const Error& error);
  // Whether a durable subscriber has a new owner.
  void notice_return(Entry& entry);
  template <class Suspect>
  bool drop_dead_if(Suspect is_suspect);
  [[nodiscard]] const Cursor* cursor_of(Entry& entry) noexcept;
  // False: it could not be given for want of a descriptor.
  bool give_token(Entry& entry);

  // Of a listing that could not be completed: no epoch is this.
  static constexpr std::uint64_t no_epoch = ~std::uint64_t{0};

  TopicDirectory& topic_;
  SharedCounters& counters_;
  PeerId self_;
  std::uint64_t depth_;
  Grant grant_;
  std::uint64_t epoch_ = no_epoch;
  std::vector<Entry> entries_;
  std::vector<PeerId> left_out_;
  MembershipLog log_;
  int epoll_ = -1;
};

}  // namespace weir::shm
