#include "transport/shm/subscriber_port.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "transport/guard.h"
#include "transport/shm/backend.h"
#include "transport/shm/janitor.h"

namespace weir::shm {
namespace {

// The option fit=any.
bool fits_any(const SubscriberQos& qos) noexcept {
  const auto fit = qos.extra.find("fit");
  return fit != qos.extra.end() && fit->second == "any";
}

Status check_limits(const TopicDirectory& topic, const SubscriberQos& qos) {
  if (qos.durability == Durability::persistent && qos.name.empty()) {
    return failure(ErrorCode::invalid_argument,
                   fmt::format("topic \"{}\": durability=persistent without a name could not be found again: add name=",
                               topic.place().topic));
  }
  if (qos.held == 0 || qos.held > max_pins) {
    return failure(ErrorCode::limit_exceeded,
                   fmt::format("topic \"{}\": held={} is not from 1 to {}: change that option", topic.place().topic,
                               qos.held, max_pins));
  }
  if (qos.depth >= max_slots) {
    return failure(ErrorCode::limit_exceeded, fmt::format("topic \"{}\": depth={} is not below {}: lower that option",
                                                          topic.place().topic, qos.depth, max_slots));
  }
  const auto fit = qos.extra.find("fit");
  if (fit != qos.extra.end() && fit->second != "any" && fit->second != "strict") {
    return failure(ErrorCode::invalid_argument,
                   fmt::format("topic \"{}\": fit={} is neither strict nor any: use one of these", topic.place().topic,
                               fit->second));
  }
  return {};
}

// Whether a sample is there that is older than this one, which is not there though what is too old was passed over: an
// older one cannot stand where those that came later are gone.
bool has_older(const Attachment& from, std::uint64_t missing) noexcept {
  std::uint64_t oldest = from.next;
  return from.publisher.ring.seek(oldest) && oldest < missing;
}

}  // namespace

Result<std::unique_ptr<spi::SubscriberPort>> SubscriberPort::join(std::unique_ptr<TopicDirectory> topic,
                                                                  const SubscriberQos& qos) {
  if (Status checked = check_limits(*topic, qos); !checked) {
    return tl::unexpected(checked.error());
  }
  const Result<Residence> residence = residence_of(qos.extra, topic->place().topic);
  if (!residence) {
    return tl::unexpected(residence.error());
  }
  const auto fill = [&](std::byte* memory) {
    auto& header = *reinterpret_cast<SubscriberHeader*>(memory);
    header.depth = qos.depth;
    header.history = qos.history;
    header.pins = qos.held;
    header.policy = static_cast<std::uint32_t>(qos.policy);
    header.adapts = fits_any(qos) ? 1 : 0;
    if (qos.durability == Durability::persistent) {
      note_use(header.tenure);
    }
  };
  Result<OwnSegment> segment =
      OwnSegment::make(*topic, {.role = Role::subscriber,
                                .size = subscriber_segment_size(qos.held, qos.durability == Durability::persistent),
                                .name = qos.name,
                                .durability = qos.durability,
                                .type = qos.type,
                                .fill = fill});
  if (!segment) {
    return tl::unexpected(segment.error());
  }
  std::unique_ptr<SubscriberPort> port(new SubscriberPort(std::move(topic), std::move(*segment), qos, *residence));
  if (port->segment_.returned) {
    port->succeed();
  }
  const std::uint64_t joined = port->counters_.epoch.fetch_add(1, std::memory_order_seq_cst) + 1;
  port->header_.born.store(joined, std::memory_order_release);
  port->generation_ = joined << 32U;  // so that no publisher takes our `asleep` for one of a former owner
  const Peer self{.role = Role::subscriber, .id = port->id(), .name = qos.name};
  Status entered = residence->any() ? port->settle_in(*residence) : Status();
  if (entered) {
    entered = port->publishers_.join(joined, self);
  }
  if (entered && is_durable(port->id())) {
    const std::string what = fmt::format("topic \"{}\": joining as \"{}\"", port->topic_->place().topic, qos.name);
    entered = begin_tenure(port->header_.tenure, port->segment_.memory, what);
  }
  if (!entered) {
    port->close();
    return tl::unexpected(entered.error());
  }
  port->entered_ = true;
  port->header_.stage.store(static_cast<std::uint32_t>(Stage::joined), std::memory_order_seq_cst);
  // Once more: who listed us while we joined shall look at our cursors now, so that depth is exact from here on.
  port->counters_.epoch.fetch_add(1, std::memory_order_seq_cst);
  port->publishers_.wake_all();
  return port;
}

Status SubscriberPort::settle_in(const Residence& residence) {
  const std::string what = fmt::format("topic \"{}\": joining", topic_->place().topic);
  const Mapping& memory = segment_.memory;
  Status done = make_resident(residence, memory.data(), memory.size(), Access::write, what);
  if (done) {
    done = make_resident(residence, reinterpret_cast<const std::byte*>(&counters_), page, Access::write, what);
  }
  if (done) {
    done = pins_.settle_in(residence, what);
  }
  return done;
}

SubscriberPort::SubscriberPort(std::unique_ptr<TopicDirectory> topic, OwnSegment segment, const SubscriberQos& qos,
                               const Residence& residence)
    : topic_(std::move(topic)),
      counters_(topic_->counters()),
      origin_{.source = static_cast<TickSource>(topic_->header().tick_source),
              .ticks = topic_->header().origin_ticks,
              .nanoseconds = topic_->header().origin_nanoseconds},
      segment_(std::move(segment)),
      header_(*reinterpret_cast<SubscriberHeader*>(segment_.memory.data())),
      qos_(qos),
      pins_(reinterpret_cast<Word<std::uint64_t>*>(segment_.memory.data() + pins_offset), qos.held, header_.pins_used),
      in_hand_(segment_.memory.data(), qos.held, is_durable(segment_.name.id)),
      publishers_(*topic_, segment_.memory.data(), qos_, pins_, residence),
      too_many_held_(
          ErrorCode::limit_exceeded,
          fmt::format("topic \"{}\": {} samples are in hand, the limit is held={}: release one, or raise that "
                      "option",
                      topic_->place().topic, qos.held, qos.held)) {}

SubscriberPort::~SubscriberPort() {
  segment_.life = Lock();
  counters_.epoch.fetch_add(1, std::memory_order_seq_cst);
  remove_segment_if_dead(topic_->descriptor(), segment_.name, counters_);
}

// The cursors stay as the former owner left them.
void SubscriberPort::succeed() noexcept {
  header_.stage.store(static_cast<std::uint32_t>(Stage::joining), std::memory_order_seq_cst);
  header_.born.store(0, std::memory_order_seq_cst);
  header_.asleep.store(0, std::memory_order_seq_cst);
  if (header_.counted.exchange(0, std::memory_order_seq_cst) != 0) {
    counters_.sleepers.fetch_sub(1, std::memory_order_seq_cst);  // too high if we die before, which costs a look
  }
  // What was in hand is taken: a message is delivered at most once, but it can be told.
  if (is_trustworthy(header_.tenure)) {
    in_hand_.inherit();
  } else {
    in_hand_.leave();
  }
  auto* const pins = reinterpret_cast<Word<std::uint64_t>*>(segment_.memory.data() + pins_offset);
  std::for_each(pins, pins + qos_.held, [](Word<std::uint64_t>& pin) { pin.store(0, std::memory_order_seq_cst); });
}

Result<std::vector<InHand>> SubscriberPort::in_hand_at_death() {
  in_hand_.tell(in_hand_at_death_);
  return in_hand_at_death_;
}

const Capabilities& SubscriberPort::capabilities() const noexcept { return promised(); }

void SubscriberPort::close() noexcept {
  header_.stage.store(static_cast<std::uint32_t>(Stage::left), std::memory_order_release);
  segment_.life_is_own = ClosedInChildren();
  segment_.life_fifo = File();
  if (tokens_) {
    uncount_as_sleeper();
  }
  publishers_.leave();
  if (is_durable(id())) {
    if (entered_) {
      in_hand_.leave();
      settle_tenure(header_.tenure, segment_.memory);
    } else if (!segment_.returned) {
      segment_.discard(*topic_);
    }
  }
  counters_.epoch.fetch_add(1, std::memory_order_seq_cst);
  publishers_.wake_all();
}

Result<bool> SubscriberPort::take_in_turn(spi::SampleRecord& record) {
  if (publishers_.is_stale()) {
    publishers_.refresh();
  }
  const auto& attachments = publishers_.attachments();
  const std::size_t count = attachments.size();
  for (std::size_t tried = 0; tried < count; ++tried) {
    turn_ = turn_ + 1 < count ? turn_ + 1 : 0;
    switch (take_from(*attachments[turn_], record)) {
      case Taken::sample:
        return true;
      case Taken::failure:
        return tl::unexpected(*failure_);
      case Taken::nothing:
        break;
    }
  }
  return nothing_taken(record);
}

Result<bool> SubscriberPort::take_small_slowly(std::byte* copy, std::size_t size, Origin& origin) {
  if (!usable()) {
    return tl::unexpected(spi::unusable(this));
  }
  spi::SampleRecord record{};
  Result<bool> taken = spi::guarded([&] { return take_in_turn(record); });
  if (!taken || !*taken) {
    return taken;
  }
  origin = {.sequence = record.sequence, .lost_before = record.lost_before, .publisher = record.publisher};
  const bool fits = record.size == size;
  if (fits) {
    std::copy_n(record.payload, size, copy);
  }
  release(record);
  if (fits) {
    return true;
  }
  return spi::guarded([&]() -> Result<bool> {
    return failure(ErrorCode::incompatible,
                   fmt::format("topic \"{}\": sample {} has {} bytes, where {} were expected: state the type at the "
                               "publisher too",
                               topic_->place().topic, origin.sequence, record.size, size));
  });
}

SubscriberPort::Taken SubscriberPort::take_from(Attachment& from, spi::SampleRecord& record) {
  const RingReader ring = from.publisher.ring;
  std::uint64_t sequence = from.next;
  while (true) {
    if (ring.published(sequence + from.look_ahead)) {
      sequence = oldest_within_depth(from, sequence);
    }
    const bool is_there = ring.seek(sequence);
    const bool lacks = !is_there && sequence != from.next && has_older(from, sequence);
    if ((sequence >= RingReader::beyond_all || lacks) && !from.broken) [[unlikely]] {
      const Error overwritten(
          ErrorCode::corrupt,
          fmt::format("topic \"{}\": publisher {:016x} {}: its memory has been overwritten; restart it",
                      topic_->place().topic, from.publisher.name.id,
                      lacks ? fmt::format("lacks sample {}, which it has published", sequence)
                            : fmt::format("names sample {}, which nobody can have published", sequence)));
      publishers_.give_up(from);
      return fail(overwritten);
    }
    if (!is_there || from.broken) {
      return Taken::nothing;
    }
    const Descriptor sample = ring.read(sequence);
    Pins::Pin* const pin = pins_.lowest_free();
    if (pin == nullptr) {
      return fail(too_many_held_);
    }
    in_hand_.forget(*pin);
    const std::byte* start = nullptr;
    if (sample.is_carried()) {
      load_carried(ring.slot(sequence), pins_.last_copy());
      if (!ring.still_valid(sequence)) {
        continue;
      }
      Pins::occupy(*pin);
      start = pins_.last_copy();
    } else {
      Pins::set(*pin, pin_of(sample.chunk, from.entry));
      if (!ring.still_valid(sequence)) {
        Pins::clear(*pin);
        continue;
      }
      start = from.publisher.chunks.find(sample);
      if (start == nullptr) {
        start = look_again(from, sample, *pin);
        if (start == nullptr) {
          return Taken::failure;
        }
      }
    }
    record = {.payload = start + sample.payload_offset,
              .size = sample.size,
              .header = start,
              .header_size = sample.header_size,
              .publisher = from.publisher.name.id,
              .sequence = sequence,
              .lost_before = sequence - from.next,
              .time = sample.ticks,
              .token = token_of(pin)};
    in_hand_.note(*pin, record.publisher, sequence);
    advance(from, sequence + 1);
    return Taken::sample;
  }
}

std::uint64_t SubscriberPort::oldest_within_depth(const Attachment& from, std::uint64_t sequence) const noexcept {
  const std::uint64_t too_new = sequence + from.look_ahead;
  return std::max(from.publisher.ring.end_from(too_new), too_new + 1) - from.look_ahead;
}

const std::byte* SubscriberPort::look_again(Attachment& from, const Descriptor& sample, Pins::Pin& pin) try {
  const Result<const std::byte*> chunk = from.publisher.chunks.look_again(sample);
  if (chunk) {
    return *chunk;
  }
  Pins::clear(pin);
  failure_ = chunk.error();
  if (failure_->code() == ErrorCode::corrupt) {
    publishers_.give_up(from);
  }
  return nullptr;
} catch (...) {
  Pins::clear(pin);
  throw;
}

Result<bool> SubscriberPort::nothing_taken(spi::SampleRecord& record) {
  if (std::optional<Error> fault = publishers_.take_fault()) {
    return tl::unexpected(std::move(*fault));
  }
  publishers_.let_go_of_ended();
  if (tokens_ && !settle()) {
    return take(record);
  }
  return false;
}

}  // namespace weir::shm
