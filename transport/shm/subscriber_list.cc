#include "transport/shm/subscriber_list.h"

#include <fcntl.h>
#include <sys/epoll.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "transport/shm/doorbell.h"
#include "transport/shm/events.h"
#include "transport/shm/janitor.h"
#include "transport/shm/names.h"

namespace weir::shm {
namespace {

constexpr std::uint64_t no_gate = std::numeric_limits<std::uint64_t>::max();

Stage stage_of(const SubscriberSegment& segment) noexcept {
  return static_cast<Stage>(segment.header().stage.load(std::memory_order_acquire));
}

}  // namespace

void SubscriberList::refresh() {
  const std::uint64_t epoch = counters_.epoch.load(std::memory_order_seq_cst);
  if (epoch == epoch_) {
    return;
  }
  epoch_ = no_epoch;  // should this end early
  const std::vector<PeerId> present = list_segments(topic_, Role::subscriber);
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const bool here = std::find(present.begin(), present.end(), entry->segment.name.id) != present.end() &&
                      entry->segment.header().born.load(std::memory_order_acquire) != discarded_born;
    if (!here) {
      log_end(*entry, stage_of(entry->segment) != Stage::left);
      entry = entries_.erase(entry);
      continue;
    }
    notice_return(*entry);
    if (!entry->life && stage_of(entry->segment) != Stage::left) {
      watch(*entry);  // listed before its FIFO was made, which was before it raised the epoch
    }
    announce(*entry);
    ++entry;
  }
  bool complete = true;
  for (const PeerId id : present) {
    const bool known =
        std::any_of(entries_.begin(), entries_.end(), [id](const Entry& entry) { return entry.segment.name.id == id; });
    if (!known && !add(id)) {
      complete = false;
    }
  }
  if (complete) {
    epoch_ = epoch;  // what it was before the directory was read
  }
}

bool SubscriberList::add(PeerId id) {
  const SegmentName name{Role::subscriber, id};
  if (!is_alive(topic_, name)) {  // a durable one is absent, and raises the epoch when it returns
    remove_segment_if_dead(topic_.descriptor(), name, counters_);
    return true;
  }
  // One that fails its checks is left out: it cannot be read safely, and whoever broke it harms only itself.
  Result<SubscriberSegment> segment = SubscriberSegment::open(topic_, id);
  if (!segment) {
    const ErrorCode code = segment.error().code();
    const bool is_spoilt = code == ErrorCode::corrupt || code == ErrorCode::incompatible;
    if (is_spoilt) leave_out(id, segment.error());
    return code == ErrorCode::not_found || is_spoilt;
  }
  const std::uint64_t born = segment->header().born.load(std::memory_order_acquire);
  if (born == discarded_born) {
    return true;
  }
  if (segment->adapts) {
    segment->depth = std::min(segment->depth, depth_);
    if (grant_ == Grant::drop && segment->policy == SlowPolicy::lossless) {
      segment->policy = SlowPolicy::drop_oldest;
    }
  }
  entries_.push_back(Entry{.segment = std::move(*segment), .life = {}, .wake = {}});
  entries_.back().born = born;
  watch(entries_.back());
  announce(entries_.back());
  if (epoll_ >= 0 && !is_alive(topic_, name)) {  // after the watch, which shows no death from before it
    log_end(entries_.back(), stage_of(entries_.back().segment) != Stage::left);
    entries_.pop_back();
  }
  return true;
}

void SubscriberList::notice_return(Entry& entry) {
  const std::uint64_t born = entry.segment.header().born.load(std::memory_order_acquire);
  if (born == entry.born) {
    return;
  }
  if (entry.born != 0) {  // its former owner has ended, left or not: what we have open was that one's
    entry.life = WatchedLife();
    entry.wake = File();
    log_end(entry, true);
    entry.segment.peer.alive = true;
    entry.segment.peer.pid = entry.segment.pid();
  }
  entry.born = born;
}

void SubscriberList::announce(Entry& entry) {
  const Stage stage = stage_of(entry.segment);
  if (stage == Stage::left) {
    entry.life = WatchedLife();  // it has hung up, though its segment may stay for samples in hand
  }
  // Recorded first: without memory it is tried again at the next look.
  if (stage == Stage::joined && !entry.announced) {
    log_.record(Change::joined, entry.segment.peer);
    entry.announced = true;
  } else if (stage == Stage::left && entry.announced) {
    log_.record(Change::left, entry.segment.peer);
    entry.announced = false;
  }
}

void SubscriberList::log_end(Entry& entry, bool dead) {
  if (!entry.announced) {
    return;
  }
  entry.segment.peer.alive = !dead;
  log_.record(dead ? Change::died : Change::left, entry.segment.peer);  // without memory: at the next look
  entry.announced = false;
  if (dead) tell_death(topic_.place().topic, entry.segment.peer);
}

void SubscriberList::leave_out(PeerId id, const Error& error) {
  if (std::find(left_out_.begin(), left_out_.end(), id) == left_out_.end()) {
    left_out_.push_back(id);
    tell_left_out(topic_.place().topic, error);
  }
}

const Cursor* SubscriberList::cursor_of(Entry& entry) noexcept {
  const Cursor* cursors = entry.segment.cursors();
  const auto is_ours = [&](std::size_t index) {
    return cursors[index].publisher.load(std::memory_order_seq_cst) == self_;
  };
  if (entry.cursor < cursor_count && is_ours(entry.cursor)) {
    return &cursors[entry.cursor];
  }
  const std::size_t used =
      std::min<std::size_t>(entry.segment.header().cursors_used.load(std::memory_order_seq_cst), cursor_count);
  for (std::size_t index = 0; index < used; ++index) {
    if (is_ours(index)) {
      entry.cursor = index;
      return &cursors[index];
    }
  }
  return nullptr;
}

SubscriberList::Needs SubscriberList::needs(std::uint64_t next) noexcept {
  Needs needs{.oldest = next, .gate = no_gate, .settled = true};
  for (Entry& entry : entries_) {
    const SubscriberSegment& segment = entry.segment;
    // The stage before the cursor: who has joined has all its cursors.
    const Stage stage = stage_of(segment);
    if (stage == Stage::left) {
      continue;
    }
    const bool lossless = segment.policy == SlowPolicy::lossless;
    if (lossless && stage == Stage::joining) {
      needs.settled = false;  // its cursor may come without a further change of the epoch
    }
    const Cursor* cursor = cursor_of(entry);
    if (cursor == nullptr && stage == Stage::joining) {
      continue;  // it will look at our floor before it relies on a place
    }
    // One that joined without having listed us yet is owed everything from our first sample.
    std::uint64_t place = cursor == nullptr ? 0 : cursor->next.load(std::memory_order_seq_cst);
    if (lossless) {
      const std::uint64_t gate = place + std::min(segment.depth, no_gate - place);
      needs.gate = std::min(needs.gate, gate);
    } else if (next > segment.depth) {
      place = std::max(place, next - segment.depth);
    }
    needs.oldest = std::min(needs.oldest, place);
  }
  return needs;
}

void SubscriberList::collect_pins(std::vector<std::uint64_t>& pinned) {
  for (Entry& entry : entries_) {
    const SubscriberSegment& segment = entry.segment;
    const std::uint64_t used = std::min(segment.header().pins_used.load(std::memory_order_seq_cst), segment.pin_count);
    const Word<std::uint64_t>* pins = segment.pins();
    for (std::uint64_t index = 0; index < used; ++index) {
      const std::uint64_t pin = pins[index].load(std::memory_order_seq_cst);
      const ChunkRef chunk = ChunkRef::from(pin);
      // Chunks of other publishers have the same numbers. Our cursor was there before any pin of ours, and stays as
      // long.
      if (chunk &&
          segment.cursors()[entry_of_pin(pin) % cursor_count].publisher.load(std::memory_order_seq_cst) == self_) {
        pinned.push_back(chunk.value());
      }
    }
  }
}

template <class Suspect>
bool SubscriberList::drop_dead_if(Suspect is_suspect) {
  bool dropped = false;
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    if (is_suspect(*entry) && !is_alive(topic_, entry->segment.name)) {
      log_end(*entry, stage_of(entry->segment) != Stage::left);
      remove_segment_if_dead(topic_.descriptor(), entry->segment.name, counters_);
      entry = entries_.erase(entry);
      dropped = true;
    } else {
      ++entry;
    }
  }
  return dropped;
}

PeerId SubscriberList::furthest_behind() noexcept {
  std::uint64_t lowest = no_gate;
  PeerId furthest = 0;
  for (Entry& entry : entries_) {
    const SubscriberSegment& segment = entry.segment;
    if (segment.policy != SlowPolicy::lossless || stage_of(segment) == Stage::left) {
      continue;
    }
    const Cursor* cursor = cursor_of(entry);
    if (cursor == nullptr) {
      return 0;  // it has not begun
    }
    const std::uint64_t place = cursor->next.load(std::memory_order_relaxed);
    const std::uint64_t gate = place + std::min(segment.depth, no_gate - place);
    if (gate < lowest) {
      lowest = gate;
      furthest = segment.name.id;
    }
  }
  return furthest;
}

bool SubscriberList::drop_dead_gates(std::uint64_t sequence) {
  return drop_dead_if([&](Entry& entry) {
    if (entry.segment.policy != SlowPolicy::lossless) {
      return false;
    }
    if (stage_of(entry.segment) == Stage::joining) {
      return true;
    }
    const Cursor* cursor = cursor_of(entry);
    const std::uint64_t place = cursor == nullptr ? 0 : cursor->next.load(std::memory_order_seq_cst);
    return sequence >= place && sequence - place >= entry.segment.depth;
  });
}

bool SubscriberList::drop_dead() {
  for (Entry& entry : entries_) {
    announce(entry);
  }
  return drop_dead_if([](const Entry&) { return true; });
}

void SubscriberList::note_hang_up(PeerId id) {
  for (Entry& entry : entries_) {
    if (entry.segment.name.id == id && is_replaced(topic_.descriptor(), entry.segment.name, entry.life)) {
      entry.life = WatchedLife();
      log_end(entry, stage_of(entry.segment) != Stage::left);
      epoch_ = no_epoch;  // whoever owns it now is found by the next refresh()
    }
  }
}

bool SubscriberList::give_token(Entry& entry) {
  if (!entry.wake) {
    const SegmentName name = entry.segment.name;
    Result<File> fifo = open_file(topic_.descriptor(), wake_name(name.role, name.id), O_RDWR, "waking");
    if (!fifo) {
      return fifo.error().code() == ErrorCode::not_found;  // gone, or no descriptor to spare here
    }
    entry.wake = std::move(*fifo);
  }
  put_token(entry.wake);
  return true;
}

void SubscriberList::wake_sleepers() {
  if (is_stale()) {
    refresh();
  }
  bool somebody = false;
  for (Entry& entry : entries_) {
    const std::uint64_t armed = entry.segment.header().asleep.load(std::memory_order_seq_cst);
    if (armed == 0 || armed == entry.rung) {
      continue;
    }
    if (!wants_token(armed)) {
      somebody = true;
    } else if (!give_token(entry)) {
      continue;  // with the next message, perhaps
    }
    entry.rung = armed;
  }
  if (somebody) {
    ring(counters_.bell);
  }
}

void SubscriberList::wake_all() {
  refresh();
  for (Entry& entry : entries_) {
    if (wants_token(entry.segment.header().asleep.load(std::memory_order_seq_cst))) {
      give_token(entry);
    }
  }
  ring(counters_.bell);
}

std::uint64_t SubscriberList::joined() const noexcept {
  return static_cast<std::uint64_t>(std::count_if(
      entries_.begin(), entries_.end(), [](const Entry& entry) { return stage_of(entry.segment) == Stage::joined; }));
}

std::vector<Peer> SubscriberList::peers() const {
  std::vector<Peer> peers;
  for (const Entry& entry : entries_) {
    if (stage_of(entry.segment) == Stage::joined) {
      peers.push_back(entry.segment.peer);
    }
  }
  return peers;
}

std::string SubscriberList::misfit_with(const Offer& offer) const {
  for (const Entry& entry : entries_) {
    const SubscriberSegment& segment = entry.segment;
    if (stage_of(segment) == Stage::left) {
      continue;
    }
    std::string reason = misfit(offer, {.subscriber = segment.peer,
                                        .depth = segment.depth,
                                        .history = segment.history,
                                        .policy = segment.policy,
                                        .adapts = segment.adapts,
                                        .type = segment.type});
    if (!reason.empty()) {
      return reason;
    }
  }
  return {};
}

void SubscriberList::record_events() {
  log_.start([this] {
    for (Entry& entry : entries_) {
      entry.announced = false;  // into a log that did not record
      announce(entry);
    }
  });
}

void SubscriberList::watch_with(int epoll) {
  epoll_ = epoll;
  for (Entry& entry : entries_) {
    watch(entry);
  }
}

void SubscriberList::watch(Entry& entry) {
  if (epoll_ >= 0) {
    entry.life = watch_life(topic_.descriptor(), entry.segment.name, epoll_);
  }
}

}  // namespace weir::shm
