#include "transport/shm/segment.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include <fmt/format.h>

#include "transport/shm/names.h"

namespace weir::shm {

std::string describe(const TopicDirectory& topic, std::string_view action, SegmentName segment) {
  return fmt::format("topic \"{}\": {} {}", topic.place().topic, action, segment_name(segment.role, segment.id));
}

namespace {

// A mapped segment of another, with what all headers share checked.
struct Opened {
  File file;
  Mapping memory;
  Peer peer;
};

Result<Opened> open_common(const TopicDirectory& topic, SegmentName segment) {
  const std::string what = describe(topic, "opening", segment);
  Opened opened;
  Result<File> file = open_file(topic.descriptor(), segment_name(segment.role, segment.id), O_RDONLY, what);
  if (!file) {
    return tl::unexpected(file.error());
  }
  struct stat status {};
  if (fstat(file->get(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_size < static_cast<off_t>(page)) {
    return failure(ErrorCode::corrupt, what + ": it is not a segment, or was truncated: remove the topic's directory");
  }
  Result<Mapping> memory =
      Mapping::of(*file, static_cast<std::size_t>(status.st_size), Access::read, Fork::loses, what);
  if (!memory) {
    return tl::unexpected(memory.error());
  }
  const auto& header = *reinterpret_cast<const SegmentHeader*>(memory->data());
  const std::uint64_t magic = segment.role == Role::publisher ? publisher_magic : subscriber_magic;
  const std::uint32_t name_size = header.name_size;  // once: its owner may write to it meanwhile
  if (header.magic != magic || header.id != segment.id || name_size > sizeof(header.name)) {
    return failure(ErrorCode::corrupt, what + ": its header is not ours: remove the topic's directory");
  }
  if (header.version != layout_version) {
    return failure(ErrorCode::incompatible,
                   fmt::format("{}: it has layout version {}, this process speaks {}: use one version of weir per root",
                               what, header.version, layout_version));
  }
  opened.peer = {.role = segment.role,
                 .id = segment.id,
                 .name = std::string(header.name, name_size),
                 .pid = pid_of(header),
                 .alive = true};
  opened.file = std::move(*file);
  opened.memory = std::move(*memory);
  return opened;
}

tl::unexpected<Error> corrupt_field(const TopicDirectory& topic, SegmentName segment, std::string_view field) {
  return failure(ErrorCode::corrupt,
                 fmt::format("{}: its field {} is impossible: it has been overwritten; restart its owner",
                             describe(topic, "opening", segment), field));
}

}  // namespace

std::optional<TypeInfo> type_of(const TypeRecord& record) {
  if (record.stated == 0) {
    return std::nullopt;
  }
  const std::size_t size = std::min<std::size_t>(record.name_size, sizeof(record.name));
  return TypeInfo{.name = std::string(record.name, size),
                  .size = record.size,
                  .alignment = record.alignment,
                  .fingerprint = record.fingerprint};
}

std::size_t publisher_segment_size(std::uint64_t slots) noexcept { return slots_offset + slots * sizeof(Slot); }

std::size_t subscriber_segment_size(std::uint64_t pins, bool is_durable) noexcept {
  const auto pages = [](std::size_t bytes) { return (bytes + page - 1) / page * page; };
  return pages(pins_offset + pins * sizeof(Word<std::uint64_t>)) + (is_durable ? pages(pins * sizeof(InHandNote)) : 0);
}

Result<PublisherSegment> PublisherSegment::open(const TopicDirectory& topic, PeerId id) {
  const SegmentName name{Role::publisher, id};
  Result<Opened> opened = open_common(topic, name);
  if (!opened) {
    return tl::unexpected(opened.error());
  }
  PublisherSegment segment;
  segment.name = name;
  const auto& header = *reinterpret_cast<const PublisherHeader*>(opened->memory.data());
  const std::uint64_t slots = header.slots;
  if (!std::has_single_bit(slots) || slots > max_slots || opened->memory.size() != publisher_segment_size(slots)) {
    return corrupt_field(topic, name, "slots");
  }
  segment.depth = header.depth;
  segment.history = header.history;
  if (segment.depth == 0 || segment.depth >= slots || segment.history >= slots) {
    return corrupt_field(topic, name, "depth");
  }
  const std::uint64_t memory = header.memory;
  if (memory > max_memory) {
    return corrupt_field(topic, name, "memory");
  }
  const std::uint32_t grant = header.grant;
  if (grant > static_cast<std::uint32_t>(Grant::reject)) {
    return corrupt_field(topic, name, "grant");
  }
  segment.grant = static_cast<Grant>(grant);
  segment.type = type_of(header.common.type);
  segment.peer = std::move(opened->peer);
  const std::string what = describe(topic, "reading", name);
  const File same(fcntl(opened->file.get(), F_DUPFD_CLOEXEC, 0));  // the lock consumes the other
  if (!same) {
    return tl::unexpected(system_error(what, errno));
  }
  Result<std::optional<Lock>> reading = Lock::try_take(std::move(opened->file), readers_byte, LockKind::shared, what);
  if (!reading) {
    return tl::unexpected(reading.error());
  }
  if (!*reading) {
    return failure(ErrorCode::unavailable, what + ": a janitor looks at it: try again");
  }
  if (!leads_to(topic.descriptor(), segment_name(Role::publisher, id), same)) {
    return failure(ErrorCode::not_found, what + ": it has been removed");
  }
  segment.reading = std::move(**reading);
  segment.ring = RingReader(reinterpret_cast<const Slot*>(opened->memory.data() + slots_offset), slots);
  segment.chunks = ChunkView(topic.descriptor(), id, memory, topic.place().topic);
  segment.memory = std::move(opened->memory);
  return segment;
}

Result<SubscriberSegment> SubscriberSegment::open(const TopicDirectory& topic, PeerId id) {
  const SegmentName name{Role::subscriber, id};
  Result<Opened> opened = open_common(topic, name);
  if (!opened) {
    return tl::unexpected(opened.error());
  }
  SubscriberSegment segment;
  segment.name = name;
  const auto& header = *reinterpret_cast<const SubscriberHeader*>(opened->memory.data());
  segment.pin_count = header.pins;
  if (segment.pin_count > max_pins ||
      opened->memory.size() != subscriber_segment_size(segment.pin_count, is_durable(id))) {
    return corrupt_field(topic, name, "pins");
  }
  const std::uint32_t policy = header.policy;
  if (policy > static_cast<std::uint32_t>(SlowPolicy::lossless)) {
    return corrupt_field(topic, name, "policy");
  }
  segment.policy = static_cast<SlowPolicy>(policy);
  segment.adapts = header.adapts != 0;
  segment.depth = header.depth;
  segment.history = header.history;
  if (segment.depth == 0 || segment.depth > max_slots) {
    return corrupt_field(topic, name, "depth");
  }
  segment.type = type_of(header.common.type);
  segment.peer = std::move(opened->peer);
  segment.memory = std::move(opened->memory);
  return segment;
}

bool is_alive(const TopicDirectory& topic, SegmentName segment) noexcept {
  // Whoever cannot be looked at, for want of a descriptor or of memory say, is not declared dead.
  try {
    const std::string name = segment_name(segment.role, segment.id);
    const Result<File> file = open_file(topic.descriptor(), name, O_RDONLY, "probing");
    return file ? is_locked(*file, owner_byte) : file.error().code() != ErrorCode::not_found;
  } catch (const std::bad_alloc&) {
    return true;
  }
}

std::vector<PeerId> list_segments(const TopicDirectory& topic, Role role) {
  std::vector<PeerId> ids;
  for (const std::string& entry : entries_of(topic.descriptor())) {
    if (const auto segment = parse_segment_name(entry); segment && segment->role == role) {
      ids.push_back(segment->id);
    }
  }
  return ids;
}

std::string misfit(const Offer& offer, const Request& request) {
  std::string reason;
  if (!request.adapts && request.policy == SlowPolicy::lossless && offer.grant == Grant::drop) {
    reason =
        "the subscriber asks for policy=lossless, the publisher has grant=drop: give the publisher grant=block or "
        "grant=reject";
  } else if (!request.adapts && request.depth > offer.depth) {
    reason = fmt::format("the subscriber asks for depth={}, the publisher grants depth={}: raise the publisher's",
                         request.depth, offer.depth);
  } else if (!request.adapts && request.history > offer.history) {
    reason = fmt::format("the subscriber asks for history={}, the publisher keeps history={}: raise the publisher's",
                         request.history, offer.history);
  } else if (offer.type && request.type && *offer.type != *request.type) {
    reason = fmt::format(
        "the publisher's type is {} ({} bytes, alignment {}, fingerprint {:016x}), the subscriber's {} ({} "
        "bytes, alignment {}, fingerprint {:016x}): use one type",
        offer.type->name, offer.type->size, offer.type->alignment, offer.type->fingerprint, request.type->name,
        request.type->size, request.type->alignment, request.type->fingerprint);
  }
  if (!reason.empty()) {
    const auto who = [](const Peer& peer) {
      return fmt::format("{} {:016x}{}", to_string(peer.role), peer.id,
                         peer.name.empty() ? "" : fmt::format(" \"{}\"", peer.name));
    };
    return fmt::format("topic \"{}\": {} and {} do not fit: {}", offer.topic, who(offer.publisher),
                       who(request.subscriber), reason);
  }
  return {};
}

}  // namespace weir::shm
