// The publishers that end: noticed, announced, and let go of when the last of their samples is taken.
#include <algorithm>
#include <utility>

#include "transport/shm/events.h"
#include "transport/shm/janitor.h"
#include "transport/shm/publisher_list.h"

namespace weir::shm {
namespace {

// A cursor that gates nobody, and leaves room to add a depth to it.
constexpr std::uint64_t beyond_all = std::uint64_t{1} << 62U;

Stage stage_of(const PublisherSegment& segment) noexcept {
  return static_cast<Stage>(segment.header().stage.load(std::memory_order_acquire));
}

}  // namespace

bool PublisherList::is_absent(const Attachment& attachment) const {
  return stage_of(attachment.publisher) == Stage::left || !is_alive(topic_, attachment.publisher.name);
}

void PublisherList::notice_return(Attachment& attachment) {
  const std::uint64_t born = attachment.publisher.header().born.load(std::memory_order_acquire);
  if (!is_durable(attachment.publisher.name.id) || (!attachment.ended && born == attachment.born)) {
    return;
  }
  if (!attachment.ended && attachment.born != 0) {
    note_end(attachment);  // it has ended and returned between two looks
  }
  attachment.born = born;
  if (attachment.ended && !is_absent(attachment)) {
    attachment.ended = false;
    attachment.publisher.peer.alive = true;
    attachment.publisher.peer.pid = attachment.publisher.pid();
    announce(attachment);
  }
}

void PublisherList::note_hang_up(PeerId id) {
  for (const auto& attachment : attachments_) {
    if (attachment->publisher.name.id == id &&
        is_replaced(topic_.descriptor(), attachment->publisher.name, attachment->life)) {
      attachment->life = WatchedLife();
      if (!attachment->ended) {
        note_end(*attachment);
      }
      notice_return(*attachment);
      watch(*attachment);
    }
  }
}

void PublisherList::find_ended() {
  for (const auto& attachment : attachments_) {
    if (!attachment->ended && is_absent(*attachment)) {
      note_end(*attachment);
    }
  }
}

void PublisherList::note_end(Attachment& attachment) {
  const bool left = stage_of(attachment.publisher) == Stage::left;
  attachment.publisher.peer.alive = left;
  const bool is_news = attachment.announced;
  if (is_news) {
    log_.record(left ? Change::left : Change::died, attachment.publisher.peer);  // without memory: at the next look
  }
  attachment.announced = false;
  attachment.ended = true;
  attachment.life = WatchedLife();
  if (is_news && !left) tell_death(topic_.place().topic, attachment.publisher.peer);
}

// Durable ones that came to nothing, and never published: the next one of that name has another segment.
void PublisherList::drop_discarded() {
  sole_ = nullptr;
  for (auto attachment = attachments_.begin(); attachment != attachments_.end();) {
    if ((*attachment)->publisher.header().born.load(std::memory_order_acquire) != discarded_born) {
      ++attachment;
      continue;
    }
    if (!(*attachment)->ended) {
      note_end(**attachment);
    }
    release(**attachment, Keep::no);
    attachment = attachments_.erase(attachment);
  }
  note_sole();
}

void PublisherList::give_up(Attachment& attachment) noexcept {
  attachment.broken = true;
  attachment.cursor->next.store(beyond_all, std::memory_order_seq_cst);  // so that we do not hold it back
  note_sole();
}

void PublisherList::let_go_of_ended() {
  // What may fail comes first: nobody is let go of by halves.
  finished_.reserve(finished_.size() + attachments_.size());
  lingering_.reserve(lingering_.size() + attachments_.size());
  sole_ = nullptr;
  std::erase_if(lingering_, [this](const auto& attachment) { return !pins_.any_of(attachment->entry); });
  for (auto& attachment : attachments_) {
    std::uint64_t sequence = attachment->next;
    if (attachment->ended && !is_durable(attachment->publisher.name.id) &&
        (attachment->broken || !attachment->publisher.ring.seek(sequence))) {
      finished_.push_back(attachment->publisher.name.id);
      release(*attachment, Keep::no);
      if (pins_.any_of(attachment->entry)) {
        lingering_.push_back(std::move(attachment));
      } else {
        attachment.reset();
      }
    }
  }
  std::erase(attachments_, nullptr);
  note_sole();
}

void PublisherList::release(Attachment& attachment, Keep cursor) noexcept {
  if (cursor == Keep::no) {
    attachment.cursor->publisher.store(0, std::memory_order_release);
  }
  attachment.publisher.reading = Lock();
  remove_segment_if_dead(topic_.descriptor(), attachment.publisher.name, topic_.counters());
}

void PublisherList::leave() noexcept {
  for (const auto& attachment : attachments_) {
    // A publisher tells by the cursor whose chunk a pin means: it stays as long as a sample is in hand, unless nobody
    // will come back for the chunk. And whoever returns wants to know where to go on.
    const bool may_lend_again = !attachment->ended || is_durable(attachment->publisher.name.id);
    const bool in_hand = pins_.any_of(attachment->entry) && may_lend_again;
    release(*attachment, in_hand || qos_.durability == Durability::persistent ? Keep::yes : Keep::no);
  }
}

}  // namespace weir::shm
