// Making a segment of one's own, and opening those of others with every plain field checked.
//
// If the process dies here. make() works on a file without a name; it locks the owner byte before it links, so a
// segment that can be found is complete, and has an owner or is dead.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "transport/shm/chunk_view.h"
#include "transport/shm/fork_mutex.h"
#include "transport/shm/layout.h"
#include "transport/shm/lock.h"
#include "transport/shm/names.h"
#include "transport/shm/ring.h"
#include "transport/shm/topic_directory.h"
#include "transport/status.h"

namespace weir::shm {

// A segment that this process owns.
struct OwnSegment {
  SegmentName name{};
  Mapping memory;  // writable; lost in a forked child
  Lock life;       // the owner's lock: the proof of life
  File life_fifo;  // whose hang-up is the death event
  ClosedInChildren life_is_own;

  // Makes, fills and links the segment, then its life FIFO. `fill` writes the plain fields beside those of
  // SegmentHeader. Errors: as make_unnamed, link_file, Lock::try_take.
  [[nodiscard]] static Result<OwnSegment> make(const TopicDirectory& topic, Role role, std::size_t size,
                                               std::string_view name, const std::optional<TypeInfo>& type,
                                               const std::function<void(std::byte*)>& fill);
};

[[nodiscard]] std::size_t publisher_segment_size(std::uint64_t slots) noexcept;
[[nodiscard]] std::size_t subscriber_segment_size(std::uint64_t pins) noexcept;

// A publisher as a subscriber sees it. The plain fields are copies.
struct PublisherSegment {
  SegmentName name{};
  Mapping memory;  // read-only; lost in a forked child
  Lock reading;    // the reader's lock: nobody removes the segment or its chunks while it is held
  Peer peer;
  std::optional<TypeInfo> type;
  std::uint64_t depth = 0;
  std::uint64_t history = 0;
  Grant grant = Grant::drop;
  RingReader ring;
  ChunkView chunks;

  [[nodiscard]] const PublisherHeader& header() const noexcept {
    return *reinterpret_cast<const PublisherHeader*>(memory.data());
  }

  // Errors: not_found when it is gone; unavailable while a janitor looks at it: try again; corrupt when its fields or
  // its size fail a check, naming the file; incompatible for another layout version; resource_exhausted.
  [[nodiscard]] static Result<PublisherSegment> open(const TopicDirectory& topic, PeerId id);
};

// A subscriber as a publisher sees it.
struct SubscriberSegment {
  SegmentName name{};
  Mapping memory;  // read-only; lost in a forked child
  Peer peer;
  std::optional<TypeInfo> type;
  std::uint64_t depth = 0;
  std::uint64_t history = 0;
  std::uint64_t pin_count = 0;
  SlowPolicy policy = SlowPolicy::drop_oldest;

  [[nodiscard]] const SubscriberHeader& header() const noexcept {
    return *reinterpret_cast<const SubscriberHeader*>(memory.data());
  }
  [[nodiscard]] const Cursor* cursors() const noexcept {
    return reinterpret_cast<const Cursor*>(memory.data() + cursors_offset);
  }
  [[nodiscard]] const Word<std::uint64_t>* pins() const noexcept {
    return reinterpret_cast<const Word<std::uint64_t>*>(memory.data() + pins_offset);
  }

  // Errors: as PublisherSegment::open.
  [[nodiscard]] static Result<SubscriberSegment> open(const TopicDirectory& topic, PeerId id);
};

// Whether the owner of a segment lives: by its lock, nothing else. False if the segment is gone; true if it cannot be
// told, as without a descriptor to spare.
[[nodiscard]] bool is_alive(const TopicDirectory& topic, SegmentName segment) noexcept;

// The segments of one role in the topic's directory.
[[nodiscard]] std::vector<PeerId> list_segments(const TopicDirectory& topic, Role role);

// Why a publisher and a subscriber do not fit: depth, history, policy or type; empty if they do. Names both.
struct Offer {
  std::string_view topic;
  const Peer& publisher;
  std::uint64_t depth;
  std::uint64_t history;
  Grant grant;
  const std::optional<TypeInfo>& type;
};
struct Request {
  const Peer& subscriber;
  std::uint64_t depth;
  std::uint64_t history;
  SlowPolicy policy;
  const std::optional<TypeInfo>& type;
};
[[nodiscard]] std::string misfit(const Offer& offer, const Request& request);

}  // namespace weir::shm
