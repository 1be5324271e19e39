// The publishers of a topic as one of its subscribers sees them: where it stands in each one's stream.
//
// As SubscriberList, the list is what the directory held at a remembered epoch, and the epoch is read first. A
// publisher that was there at the first listing is followed from its newest samples, one that came later from its first
// sample (what it published while a lossless subscriber was still joining, and holds no longer, is not owed to that
// one). One that ended, by leaving or dying, is read to its end and then let go; a durable one stays, for it may return
// under its name and go on where it stopped. A durable subscriber that returns goes on at the cursors that it left.
//
// Thread safety: none; it belongs to the subscriber.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "transport/qos.h"
#include "transport/shm/doorbell.h"
#include "transport/shm/membership_log.h"
#include "transport/shm/pins.h"
#include "transport/shm/residence.h"
#include "transport/shm/segment.h"
#include "transport/shm/topic_directory.h"

namespace weir::shm {

// A place in one publisher's stream.
struct Attachment {
  // Of a lossless one, which takes them all: no ring ever holds the sample that this names.
  static constexpr std::uint64_t beyond_every_ring = RingReader::beyond_all;

  PublisherSegment publisher;
  std::size_t entry = 0;     // of our cursor table
  std::uint64_t pin = 0;     // pin_of(no chunk, entry)
  Cursor* cursor = nullptr;  // that entry
  std::uint64_t next = 0;    // the sequence to take next
  // A sample is too old to be taken once the sample so much later is published: `depth`, where the policy drops.
  std::uint64_t look_ahead = 0;
  bool lossless = false;      // the publisher waits for us, and we wake it
  std::uint64_t want = 0;     // its last `want` word that we saw
  std::uint64_t wake_at = 0;  // while that stands: before which sequence it need not be woken
  std::uint64_t born = 0;     // PublisherHeader::born of the owner that we know of
  bool ended = false;         // it has left or died: nothing comes after what is in its ring, unless it returns
  bool broken = false;        // its memory fails our checks: nothing more is taken
  bool announced = false;     // `joined` is in the log
  WatchedLife life;           // its life FIFO, if we watch
};

class PublisherList {
 public:
  // `memory` is the subscriber's own segment. All references must outlive the list.
  PublisherList(TopicDirectory& topic, std::byte* memory, const SubscriberQos& qos, const Pins& pins,
                const Residence& residence);

  // The first listing, after the own segment was linked and its join raised the epoch to `joined`. Errors: incompatible
  // with a publisher; corrupt; resource_exhausted.
  [[nodiscard]] Status join(std::uint64_t joined, const Peer& self);

  // Whether the directory should be read again. One load, unless a listing could not be completed.
  [[nodiscard]] bool is_stale() const noexcept { return counters_.epoch.load(std::memory_order_acquire) != epoch_; }
  void refresh();
  // Whether the last listing has to be tried again, without an event that would tell when.
  [[nodiscard]] bool is_incomplete() const noexcept { return incomplete_; }

  [[nodiscard]] std::vector<std::unique_ptr<Attachment>>& attachments() noexcept { return attachments_; }
  // The only attachment, if there is no other and it is not broken; else null, and always for a durable subscriber, of
  // which each take is noted (in_hand.h).
  [[nodiscard]] Attachment* sole() const noexcept { return sole_; }
  // Whether a sole attachment is all there is: let_go_of_ended() would do nothing, and take_fault() has none.
  [[nodiscard]] bool is_quiet() const noexcept { return !sole_->ended && lingering_.empty() && !fault_; }
  // Leaves a publisher whose memory is corrupt out from now on.
  void give_up(Attachment& attachment) noexcept;

  // Whether somebody has a sample for us, or take() has to tell what went wrong.
  [[nodiscard]] bool ready() const noexcept;

  // After a take: wakes a publisher that waits for space, when a good part of the depth has become free since it began.
  // It looks by itself after a slice of its wait, and who sleeps for want of samples tells it first.
  void wake_after_take(Attachment& attachment) noexcept {
    const std::uint64_t want = attachment.publisher.header().want.load(std::memory_order_seq_cst);
    if (want != 0) [[unlikely]] {
      wake_in_steps(attachment, want);
    }
  }
  // Wakes a publisher that waits for space; all publishers that wait for anything.
  void wake_if_waiting(const Attachment& attachment) noexcept {
    const std::uint64_t want = attachment.publisher.header().want.load(std::memory_order_seq_cst);
    if (want != 0) [[unlikely]] {
      wake(attachment, want);
    }
  }
  void wake_all() noexcept;
  // Before a sleep: wakes publishers that wait until everything is taken, or for us.
  void tell_waiting() noexcept {
    for (const auto& attachment : attachments_) {
      const std::uint64_t want = attachment->publisher.header().want.load(std::memory_order_seq_cst);
      if (want != 0 && is_awaited_by(*attachment)) {
        wake(*attachment, want);
      }
    }
  }

  // Tests the locks of all, and notes who has ended.
  void find_ended();
  // Its life FIFO has hung up: that owner has ended, though a durable publisher may have another by now.
  void note_hang_up(PeerId id);
  // Lets go of those that have ended and are read to their end.
  void let_go_of_ended();
  // Lets go of all.
  void leave() noexcept;

  // What went wrong in a later listing; once.
  [[nodiscard]] std::optional<Error> take_fault() noexcept { return std::exchange(fault_, std::nullopt); }

  [[nodiscard]] std::vector<Peer> peers();
  void record_events();
  [[nodiscard]] MembershipLog& log() noexcept { return log_; }
  void watch_with(int epoll);

 private:
  // For want of a descriptor a token may have to be written later: then the list is stale until it is.
  void wake(const Attachment& attachment, std::uint64_t want) noexcept;
  void wake_in_steps(Attachment& attachment, std::uint64_t want) noexcept;
  // Whether a publisher waits for us, too; to be asked after its `want` was read.
  [[nodiscard]] bool is_awaited_by(const Attachment& attachment) const noexcept {
    const PeerId awaited = attachment.publisher.header().awaited.load(std::memory_order_acquire);
    return awaited == 0 || awaited == self_.id;
  }
  Status list(bool first);
  Status add(PeerId id, bool first);
  void start(Attachment& attachment, bool first) noexcept;
  void note_end(Attachment& attachment);
  void drop_discarded();
  enum class Keep : bool { no, yes };
  void release(Attachment& attachment, Keep cursor) noexcept;
  // Goes on where a former owner of our durable segment stopped.
  void resume(Attachment& attachment) noexcept;
  void forget_absent_cursors(const std::vector<PeerId>& present) noexcept;
  [[nodiscard]] bool is_absent(const Attachment& attachment) const;
  // Whether a durable publisher has a new owner.
  void notice_return(Attachment& attachment);
  [[nodiscard]] std::optional<std::size_t> entry_of(PeerId publisher) const noexcept;
  void watch(Attachment& attachment);
  void announce(Attachment& attachment);
  [[nodiscard]] std::size_t free_entry() const noexcept;
  void note_sole() noexcept {
    const bool is_sole = attachments_.size() == 1 && !attachments_.front()->broken;
    sole_ = is_sole && qos_.durability != Durability::persistent ? attachments_.front().get() : nullptr;
  }

  // Of a listing that could not be completed: no epoch is this.
  static constexpr std::uint64_t no_epoch = ~std::uint64_t{0};

  TopicDirectory& topic_;
  SharedCounters& counters_;
  SubscriberHeader& header_;
  Cursor* cursors_;
  const SubscriberQos& qos_;
  const Pins& pins_;
  Residence residence_;
  Peer self_;
  std::uint64_t epoch_ = no_epoch;
  std::uint64_t joined_ = 0;
  bool incomplete_ = false;
  bool owes_token_ = false;       // to some publisher
  std::vector<PeerId> finished_;  // ended and read to the end, though others may keep the segment there
  std::optional<Error> fault_;
  std::vector<std::unique_ptr<Attachment>> attachments_;  // who changes it calls note_sole()
  Attachment* sole_ = nullptr;
  std::vector<std::unique_ptr<Attachment>> lingering_;  // let go, but samples of theirs are in hand
  MembershipLog log_;
  int epoll_ = -1;
};

}  // namespace weir::shm
