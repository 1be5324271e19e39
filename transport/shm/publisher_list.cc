#include "transport/shm/publisher_list.h"

#include <fcntl.h>

#include <algorithm>
#include <new>
#include <utility>

#include <fmt/format.h>

#include "transport/shm/doorbell.h"
#include "transport/shm/janitor.h"
#include "transport/shm/names.h"
#include "transport/shm/own_segment.h"

namespace weir::shm {
namespace {

// A volatile segment did not outlive its owner, far less the machine's last boot.
bool trusted(PeerId id, const Tenure& tenure) noexcept { return !is_durable(id) || is_trustworthy(tenure); }

bool is_same(const std::unique_ptr<Attachment>& attachment, PeerId id) noexcept {
  return attachment->publisher.name.id == id;
}

}  // namespace

PublisherList::PublisherList(TopicDirectory& topic, std::byte* memory, const SubscriberQos& qos, const Pins& pins,
                             const Residence& residence)
    : topic_(topic),
      counters_(topic.counters()),
      header_(*reinterpret_cast<SubscriberHeader*>(memory)),
      cursors_(reinterpret_cast<Cursor*>(memory + cursors_offset)),
      qos_(qos),
      pins_(pins),
      residence_(residence) {}

Status PublisherList::join(std::uint64_t joined, const Peer& self) {
  joined_ = joined;
  self_ = self;
  return list(true);
}

void PublisherList::refresh() {
  if (Status listed = list(false)) {
    fault_.reset();  // of a listing that has been made good
  } else if (!fault_) {
    fault_ = listed.error();
  }
}

Status PublisherList::list(bool first) {
  const std::uint64_t epoch = counters_.epoch.load(std::memory_order_seq_cst);
  epoch_ = no_epoch;  // should this end early
  incomplete_ = false;
  if (std::exchange(owes_token_, false)) {
    wake_all();
  }
  Status fault;
  const std::vector<PeerId> present = list_segments(topic_, Role::publisher);
  if (first) {
    forget_absent_cursors(present);
  }
  drop_discarded();
  for (const auto& attachment : attachments_) {
    notice_return(*attachment);
    if (!attachment->life) {
      watch(*attachment);  // listed before its FIFO was made, which was before it raised the epoch
    }
  }
  find_ended();
  let_go_of_ended();
  std::erase_if(finished_, [&](PeerId id) { return std::find(present.begin(), present.end(), id) == present.end(); });
  for (const PeerId id : present) {
    if (std::find(finished_.begin(), finished_.end(), id) != finished_.end()) {
      continue;
    }
    const auto known = [id](const std::unique_ptr<Attachment>& attachment) { return is_same(attachment, id); };
    if (std::any_of(attachments_.begin(), attachments_.end(), known)) {
      continue;
    }
    if (Status added = add(id, first); !added && fault) {
      fault = added;
    }
  }
  incomplete_ = incomplete_ || owes_token_;
  if (!incomplete_) {
    epoch_ = epoch;  // what it was before the directory was read
    header_.listed.store(epoch, std::memory_order_release);
  }
  return fault;
}

Status PublisherList::add(PeerId id, bool first) {
  const SegmentName name{Role::publisher, id};
  if (first && !is_durable(id) && !is_alive(topic_, name)) {
    remove_segment_if_dead(topic_.descriptor(), name, topic_.counters());
    return {};
  }
  Result<PublisherSegment> segment = PublisherSegment::open(topic_, id);
  if (!segment) {
    const ErrorCode code = segment.error().code();
    incomplete_ = incomplete_ || code == ErrorCode::unavailable || code == ErrorCode::resource_exhausted;
    if (code == ErrorCode::not_found || code == ErrorCode::unavailable) {
      return {};
    }
    return tl::unexpected(segment.error());
  }
  const std::uint64_t born = segment->header().born.load(std::memory_order_acquire);
  if (born == discarded_born) {
    return {};
  }
  if (!first && born != 0 && born < joined_ && !is_durable(id)) {
    return {};  // it was there at the first listing, and let go then or since
  }
  const std::string reason = misfit({.topic = topic_.place().topic,
                                     .publisher = segment->peer,
                                     .depth = segment->depth,
                                     .history = segment->history,
                                     .grant = segment->grant,
                                     .type = segment->type},
                                    {.subscriber = self_,
                                     .depth = qos_.depth,
                                     .history = qos_.history,
                                     .policy = qos_.policy,
                                     .adapts = header_.adapts != 0,
                                     .type = qos_.type});
  if (!reason.empty()) {
    // One that comes later and does not fit finds so itself, and goes.
    return first ? Status(failure(ErrorCode::incompatible, reason)) : Status();
  }
  if (residence_.any()) {
    const Mapping& memory = segment->memory;
    const std::string what = fmt::format("topic \"{}\": reading publisher {:016x}", topic_.place().topic, id);
    Status settled = make_resident(residence_, memory.data(), memory.size(), Access::read, what);
    if (settled) {
      settled = segment->chunks.settle_in(residence_);
    }
    if (!settled) {
      incomplete_ = true;
      return settled;
    }
  }
  const std::optional<std::size_t> resumed = entry_of(id);
  const std::size_t entry = resumed ? *resumed : free_entry();
  if (entry == cursor_count) {
    incomplete_ = true;
    return failure(
        ErrorCode::limit_exceeded,
        fmt::format("topic \"{}\": more than {} publishers are there or not read to their end: take what they "
                    "sent, or use more topics",
                    topic_.place().topic, cursor_count));
  }
  auto attachment = std::make_unique<Attachment>();
  attachment->publisher = std::move(*segment);
  attachment->entry = entry;
  attachment->pin = pin_of(ChunkRef(), entry);
  attachment->cursor = &cursors_[entry];
  attachment->born = born;
  attachment->lossless = qos_.policy == SlowPolicy::lossless && attachment->publisher.grant != Grant::drop;
  attachment->look_ahead =
      attachment->lossless ? Attachment::beyond_every_ring : std::min(qos_.depth, attachment->publisher.depth);
  if (resumed) {
    resume(*attachment);
  } else {
    start(*attachment, first);
  }
  // One that was absent when we came is no news until it returns.
  attachment->ended = first && is_durable(id) && is_absent(*attachment);
  try {
    attachments_.reserve(attachments_.size() + 1);
    watch(*attachment);
    announce(*attachment);
    // After the watch, which shows no death from before it.
    if (!attachment->ended && is_absent(*attachment)) {
      note_end(*attachment);
    }
  } catch (...) {
    // The next try shall begin where this one did, and not take the cursor for that of a former owner.
    if (!resumed) {
      attachment->cursor->publisher.store(0, std::memory_order_release);
    }
    throw;
  }
  attachments_.push_back(std::move(attachment));
  note_sole();
  return {};
}

void PublisherList::start(Attachment& attachment, bool first) noexcept {
  const PublisherHeader& header = attachment.publisher.header();
  std::uint64_t start = 0;
  if (!trusted(attachment.publisher.name.id, header.tenure)) {
    start = attachment.publisher.ring.end();
  } else if (first) {
    const std::uint64_t end = attachment.publisher.ring.end();
    start = end - std::min(end, qos_.history);
    start = std::max(start, header.floor.load(std::memory_order_seq_cst));
  }
  Cursor& cursor = *attachment.cursor;
  cursor.next.store(start, std::memory_order_relaxed);
  if (header_.cursors_used.load(std::memory_order_relaxed) <= attachment.entry) {
    header_.cursors_used.store(attachment.entry + 1, std::memory_order_seq_cst);
  }
  cursor.publisher.exchange(attachment.publisher.name.id, std::memory_order_seq_cst);
  while (first || attachment.lossless) {
    // The publisher raises its floor before it looks at cursors; so either it has seen ours, or we see its floor.
    const std::uint64_t floor = header.floor.load(std::memory_order_seq_cst);
    if (floor <= start) {
      break;
    }
    start = floor;
    cursor.next.exchange(start, std::memory_order_seq_cst);
  }
  attachment.next = start;
  if (!first) {
    wake_if_waiting(attachment);  // it was held at its first sample on our account
  }
}

void PublisherList::resume(Attachment& attachment) noexcept {
  const std::uint64_t end = attachment.publisher.ring.end();
  // The publisher has listed us since we raised the epoch, or will: from then on it minds the cursor, where it stands.
  // What went before is counted as lost when it is found missing.
  attachment.next = attachment.cursor->next.load(std::memory_order_relaxed);
  const bool both_trusted =
      trusted(attachment.publisher.name.id, attachment.publisher.header().tenure) && is_trustworthy(header_.tenure);
  if (attachment.next > end || !both_trusted) {
    attachment.next = end;
    attachment.cursor->next.exchange(end, std::memory_order_seq_cst);
  }
}

void PublisherList::forget_absent_cursors(const std::vector<PeerId>& present) noexcept {
  for (std::size_t entry = 0; entry < cursor_count; ++entry) {
    const PeerId publisher = cursors_[entry].publisher.load(std::memory_order_relaxed);
    if (publisher != 0 && std::find(present.begin(), present.end(), publisher) == present.end()) {
      cursors_[entry].publisher.store(0, std::memory_order_release);
    }
  }
}

std::optional<std::size_t> PublisherList::entry_of(PeerId publisher) const noexcept {
  for (std::size_t entry = 0; entry < cursor_count; ++entry) {
    if (cursors_[entry].publisher.load(std::memory_order_relaxed) == publisher) {
      return entry;
    }
  }
  return std::nullopt;
}

// Without memory as without a descriptor: at the next look.
void PublisherList::wake(const Attachment& attachment, std::uint64_t want) noexcept try {
  if (!wants_token(want)) {
    ring(counters_.twin);
    return;
  }
  const SegmentName name = attachment.publisher.name;
  const Result<File> fifo = open_file(topic_.descriptor(), wake_name(name.role, name.id), O_RDWR, "waking");
  if (fifo) {
    put_token(*fifo);
  } else if (fifo.error().code() == ErrorCode::resource_exhausted) {
    owes_token_ = true;
    epoch_ = no_epoch;
  }
} catch (const std::bad_alloc&) {
  owes_token_ = true;
  epoch_ = no_epoch;
}

void PublisherList::wake_in_steps(Attachment& attachment, std::uint64_t want) noexcept {
  if (!is_awaited_by(attachment)) {
    return;
  }
  const std::uint64_t step = std::max<std::uint64_t>(1, std::min(qos_.depth, attachment.publisher.depth) / 4);
  if (attachment.want != want) {
    attachment.want = want;
    attachment.wake_at = attachment.next + step - 1;
  }
  // Who waits for its descriptor has no slice.
  if (wants_token(want) || attachment.next >= attachment.wake_at) {
    attachment.wake_at = attachment.next + step;
    wake(attachment, want);
  }
}

void PublisherList::wake_all() noexcept {
  ring(counters_.twin);
  for (const auto& attachment : attachments_) {
    if (attachment->publisher.header().watching.load(std::memory_order_seq_cst) != 0) {
      wake(*attachment, armed_word(0, WakeBy::token));
    }
  }
}

std::size_t PublisherList::free_entry() const noexcept {
  std::size_t entry = 0;
  const auto lingers = [&](const std::unique_ptr<Attachment>& attachment) { return attachment->entry == entry; };
  while (entry < cursor_count && (cursors_[entry].publisher.load(std::memory_order_relaxed) != 0 ||
                                  std::any_of(lingering_.begin(), lingering_.end(), lingers))) {
    ++entry;
  }
  return entry;
}

bool PublisherList::ready() const noexcept {
  return fault_ ||
         std::any_of(attachments_.begin(), attachments_.end(), [](const std::unique_ptr<Attachment>& attachment) {
           std::uint64_t sequence = attachment->next;
           // Who cannot be trusted is ready too: take() says so.
           return !attachment->broken &&
                  (attachment->publisher.ring.seek(sequence) || sequence >= RingReader::beyond_all);
         });
}

std::vector<Peer> PublisherList::peers() {
  find_ended();
  std::vector<Peer> peers;
  for (const auto& attachment : attachments_) {
    if (!attachment->ended) {
      peers.push_back(attachment->publisher.peer);
    }
  }
  return peers;
}

void PublisherList::announce(Attachment& attachment) {
  if (!attachment.ended) {
    log_.record(Change::joined, attachment.publisher.peer);
    attachment.announced = true;
  }
}

void PublisherList::record_events() {
  log_.start([this] {
    for (const auto& attachment : attachments_) {
      announce(*attachment);
    }
  });
}

void PublisherList::watch_with(int epoll) {
  epoll_ = epoll;
  for (const auto& attachment : attachments_) {
    watch(*attachment);
  }
}

void PublisherList::watch(Attachment& attachment) {
  if (epoll_ >= 0 && !attachment.ended) {
    attachment.life = watch_life(topic_.descriptor(), attachment.publisher.name, epoll_);
  }
}

}  // namespace weir::shm
