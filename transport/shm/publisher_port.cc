#include "transport/shm/publisher_port.h"

#include <algorithm>
#include <bit>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "transport/guard.h"
#include "transport/shm/backend.h"
#include "transport/shm/events.h"
#include "transport/shm/janitor.h"
#include "transport/shm/recovery.h"

namespace weir::shm {
namespace {

std::uint64_t slots_for(const PublisherQos& qos) { return std::bit_ceil(qos.depth + qos.history + 1); }

Offer offer_of(const TopicDirectory& topic, const Peer& self, const PublisherQos& qos) {
  return {.topic = topic.place().topic,
          .publisher = self,
          .depth = qos.depth,
          .history = qos.history,
          .grant = qos.grant,
          .type = qos.type};
}

// What the option publish_time asks for.
Result<TickSource> tick_source_of(const TopicDirectory& topic, const ExtraOptions& options) {
  const auto option = options.find("publish_time");
  if (option == options.end() || option->second == "yes") {
    return static_cast<TickSource>(topic.header().tick_source);
  }
  if (option->second == "no") {
    return TickSource::none;
  }
  return failure(ErrorCode::invalid_argument,
                 fmt::format("topic \"{}\": publish_time={} is neither yes nor no: use one of these",
                             topic.place().topic, option->second));
}

Status check_limits(const TopicDirectory& topic, const PublisherQos& qos) {
  if (qos.durability == Durability::persistent && qos.name.empty()) {
    return failure(ErrorCode::invalid_argument,
                   fmt::format("topic \"{}\": durability=persistent without a name could not be found again: add name=",
                               topic.place().topic));
  }
  if (qos.depth >= max_slots || qos.history >= max_slots || slots_for(qos) > max_slots) {
    return failure(ErrorCode::limit_exceeded,
                   fmt::format("topic \"{}\": depth={} and history={} need more than {} slots: lower them",
                               topic.place().topic, qos.depth, qos.history, max_slots));
  }
  if (qos.memory > max_memory) {
    return failure(ErrorCode::limit_exceeded, fmt::format("topic \"{}\": memory={} is above {}: lower that option",
                                                          topic.place().topic, qos.memory, max_memory));
  }
  std::size_t living = 0;
  for (const PeerId id : list_segments(topic, Role::publisher)) {
    living += is_alive(topic, {Role::publisher, id}) ? 1 : 0;
  }
  if (living >= max_publishers) {
    return failure(ErrorCode::limit_exceeded,
                   fmt::format("topic \"{}\": it has {} publishers, which is the limit: use more "
                               "topics",
                               topic.place().topic, living));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<spi::PublisherPort>> PublisherPort::join(std::unique_ptr<TopicDirectory> topic,
                                                                const PublisherQos& qos) {
  if (Status checked = check_limits(*topic, qos); !checked) {
    return tl::unexpected(checked.error());
  }
  const Result<Residence> residence = residence_of(qos.extra, topic->place().topic);
  if (!residence) {
    return tl::unexpected(residence.error());
  }
  const Result<TickSource> tick_source = tick_source_of(*topic, qos.extra);
  if (!tick_source) {
    return tl::unexpected(tick_source.error());
  }
  const auto fill = [&](std::byte* memory) {
    auto& header = *reinterpret_cast<PublisherHeader*>(memory);
    header.slots = slots_for(qos);
    header.depth = qos.depth;
    header.history = qos.history;
    header.memory = qos.memory;
    header.grant = static_cast<std::uint32_t>(qos.grant);
    if (qos.durability == Durability::persistent) {
      note_use(header.tenure);
    }
  };
  Result<OwnSegment> segment = OwnSegment::make(*topic, {.role = Role::publisher,
                                                         .size = publisher_segment_size(slots_for(qos)),
                                                         .name = qos.name,
                                                         .durability = qos.durability,
                                                         .type = qos.type,
                                                         .fill = fill});
  if (!segment) {
    return tl::unexpected(segment.error());
  }
  std::unique_ptr<PublisherPort> port(
      new PublisherPort(std::move(topic), std::move(*segment), qos, *residence, *tick_source));
  Status entered = port->segment_.returned ? port->succeed() : Status();
  if (entered && residence->any()) {
    entered = port->settle_in(*residence);
  }
  if (entered) {
    entered = port->enter();
  }
  if (!entered) {
    port->close();
    return tl::unexpected(entered.error());
  }
  return port;
}

Status PublisherPort::succeed() {
  const std::uint64_t count = slots_for(qos_);
  if (header_.slots != count) {
    return failure(ErrorCode::corrupt,
                   fmt::format("topic \"{}\": taking over publisher \"{}\": it names {} slots and has {}: it has been "
                               "overwritten; remove the topic",
                               topic_->place().topic, qos_.name, header_.slots, count));
  }
  header_.stage.store(static_cast<std::uint32_t>(Stage::joining), std::memory_order_release);
  header_.want.store(0, std::memory_order_seq_cst);
  header_.watching.store(0, std::memory_order_seq_cst);
  header_.born.store(0, std::memory_order_seq_cst);
  auto* const slots = reinterpret_cast<Slot*>(segment_.memory.data() + slots_offset);
  if (!is_trustworthy(header_.tenure)) {
    retire_everything(slots, count);
    tell_untrusted(topic_->place().topic, qos_.name);
  }
  const Result<Succession> succession =
      derive_succession(slots, count, qos_.memory,
                        fmt::format("topic \"{}\": taking over publisher \"{}\"", topic_->place().topic, qos_.name));
  if (!succession) {
    return tl::unexpected(succession.error());
  }
  if (Status taken = chunks_.take_over(succession->kept); !taken) {
    return taken;
  }
  next_ = succession->next;
  flow_.begin_at(succession->intact_from);
  return {};
}

Status PublisherPort::enter() {
  const std::uint64_t born = counters_.epoch.fetch_add(1, std::memory_order_seq_cst) + 1;
  header_.born.store(born, std::memory_order_release);
  generation_ = born << 32U;  // so that no subscriber takes our `want` for one of a former owner
  subscribers_.refresh();
  const Peer self{.role = Role::publisher, .id = id(), .name = qos_.name};
  if (std::string reason = subscribers_.misfit_with(offer_of(*topic_, self, qos_)); !reason.empty()) {
    return failure(ErrorCode::incompatible, std::move(reason));
  }
  if (is_durable(id())) {
    const std::string what = fmt::format("topic \"{}\": joining as \"{}\"", topic_->place().topic, qos_.name);
    if (Status begun = begin_tenure(header_.tenure, segment_.memory, what); !begun) {
      return begun;
    }
  }
  if (segment_.returned) {
    free_what_nobody_has();
    chunks_.release_unaccounted();
  }
  header_.stage.store(static_cast<std::uint32_t>(Stage::joined), std::memory_order_release);
  entered_ = true;
  subscribers_.wake_all();  // a former owner may have died between a sample and its bell
  return {};
}

void PublisherPort::free_what_nobody_has() {
  flow_.refresh(next_);
  reclaim(GiveUp::nothing);
}

Status PublisherPort::settle_in(const Residence& residence) {
  const std::string what = fmt::format("topic \"{}\": joining", topic_->place().topic);
  const Mapping& memory = segment_.memory;
  Status done = make_resident(residence, memory.data(), memory.size(), Access::write, what);
  if (done) {
    done = make_resident(residence, reinterpret_cast<const std::byte*>(&counters_), page, Access::write, what);
  }
  if (done && residence.message_size > carried_size) {
    if (segment_.returned) {
      free_what_nobody_has();
    }
    done = chunks_.prepare(residence.message_size, header_.slots + qos_.loans);
  }
  return done;
}

PublisherPort::PublisherPort(std::unique_ptr<TopicDirectory> topic, OwnSegment segment, const PublisherQos& qos,
                             const Residence& residence, TickSource tick_source)
    : topic_(std::move(topic)),
      counters_(topic_->counters()),
      tick_source_(tick_source),
      segment_(std::move(segment)),
      header_(*reinterpret_cast<PublisherHeader*>(segment_.memory.data())),
      qos_(qos),
      subscribers_(*topic_, segment_.name.id, qos.depth, qos.grant),
      flow_(header_, RingWriter(reinterpret_cast<Slot*>(segment_.memory.data() + slots_offset), slots_for(qos)),
            subscribers_, qos_),
      chunks_(*topic_, segment_.name.id, qos.memory, residence),
      drafts_(qos.loans) {}

const Capabilities& PublisherPort::capabilities() const noexcept { return promised(); }

void PublisherPort::close() noexcept {
  header_.stage.store(static_cast<std::uint32_t>(Stage::left), std::memory_order_release);
  if (!is_durable(id())) {
    segment_.life = Lock();
  } else if (!entered_ && !segment_.returned) {
    segment_.discard(*topic_);
  } else if (entered_) {
    // The lock stays until the last loan is back: a successor would lend its chunk again.
    if (chunks_.write_to_disk()) {
      settle_tenure(header_.tenure, segment_.memory);
    }
  }
  segment_.life_is_own = ClosedInChildren();
  segment_.life_fifo = File();
  counters_.epoch.fetch_add(1, std::memory_order_seq_cst);
  try {
    subscribers_.wake_all();
  } catch (const std::exception&) {  // they look after their slice
  }
  remove_segment_if_dead(topic_->descriptor(), segment_.name, counters_);
}

Status PublisherPort::loan_slowly(const spi::LoanRequest& request, spi::LoanRecord& record) {
  const Measures measures(request);
  ChunkRef chunk = chunks_.take_free(measures.bytes);
  if (!chunk) {
    const Result<ChunkRef> found = find_chunk(measures.bytes);
    if (!found) {
      return tl::unexpected(found.error());
    }
    chunk = *found;
  }
  std::byte* const start = chunks_.address(chunk);
  record = {.payload = start + measures.payload_offset,
            .size = request.size,
            .header = start,
            .header_size = request.header_size,
            .token = chunk.value()};
  return {};
}

Result<std::uint64_t> PublisherPort::publish_when_admitted(const spi::LoanRecord& record,
                                                           std::optional<Deadline> deadline) {
  if (!flow_.admits(next_)) {
    if (Status admitted = wait_for_admission(deadline); !admitted) {
      return tl::unexpected(admitted.error());
    }
  }
  const std::uint64_t sequence = write([&](Slot& slot) { fill(slot, record); }, tick_source_);
  if (counters_.sleepers.load(std::memory_order_seq_cst) != 0) {
    return wake_sleepers(sequence);
  }
  return sequence;
}

Result<std::uint64_t> PublisherPort::publish_small_slowly(const std::byte* message, std::size_t size) {
  if (!usable()) {
    return tl::unexpected(spi::unusable(this));
  }
  spi::LoanRecord record{};
  if (const Status lent = spi::guarded([&] { return loan({size, 0, 1}, record); }); !lent) {
    return tl::unexpected(lent.error());
  }
  std::copy_n(message, size, record.payload);
  Result<std::uint64_t> sequence = spi::guarded([&] { return publish_when_admitted(record, {}); });
  if (!sequence) {
    drop(record);
  }
  return sequence;
}

// The sample is published, whatever comes now: without memory, or a list of them, sleepers look after their slice.
Result<std::uint64_t> PublisherPort::wake_sleepers(std::uint64_t sequence) noexcept {
  try {
    subscribers_.wake_sleepers();
  } catch (const std::exception&) {
  }
  return sequence;
}

Result<ChunkRef> PublisherPort::find_chunk(std::size_t bytes) {
  // Small messages are cheaper to keep until they are overwritten than to take out of the ring one by one.
  reclaim(bytes < page ? GiveUp::nothing : GiveUp::unwanted);
  if (!chunks_.is_scarce(bytes)) {
    if (const ChunkRef chunk = chunks_.take_free(bytes)) {
      return chunk;
    }
  }
  Result<ChunkRef> grown = chunks_.grow(bytes);
  if (grown) {
    return grown;
  }
  // What is missing may be kept for the dead, in hand or unread, or by small messages that nobody wants.
  subscribers_.drop_dead();
  reclaim(GiveUp::unwanted);
  return chunks_.grow(bytes);
}

void PublisherPort::reclaim(GiveUp give_up) {
  if (give_up == GiveUp::unwanted) {
    flow_.refresh(next_);
    flow_.retire_unwanted(next_, [this](ChunkRef chunk) { chunks_.retire(chunk); });
  }
  // After the slots have changed: the epoch, the list, the pins.
  subscribers_.refresh();
  if (!subscribers_.is_complete()) {
    return;
  }
  pinned_.clear();
  subscribers_.collect_pins(pinned_);
  chunks_.reclaim(pinned_);
}

}  // namespace weir::shm
