// The segments of others, opened with every plain field checked.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "transport/shm/chunk_view.h"
#include "transport/shm/layout.h"
#include "transport/shm/lock.h"
#include "transport/shm/names.h"
#include "transport/shm/ring.h"
#include "transport/shm/topic_directory.h"
#include "transport/status.h"

namespace weir::shm {

// Of the owner: it changes when a durable segment is taken over.
[[nodiscard]] inline std::int64_t pid_of(const SegmentHeader& header) noexcept {
  return std::atomic_ref(const_cast<std::int64_t&>(header.pid)).load(std::memory_order_relaxed);
}

// The type that a header states.
[[nodiscard]] std::optional<TypeInfo> type_of(const TypeRecord& record);

[[nodiscard]] std::size_t publisher_segment_size(std::uint64_t slots) noexcept;
// With or without the notes of a durable one, which lie behind the rest.
[[nodiscard]] std::size_t subscriber_segment_size(std::uint64_t pins, bool is_durable = false) noexcept;

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
  // Of its owner now.
  [[nodiscard]] std::int64_t pid() const noexcept { return pid_of(header().common); }

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
  bool adapts = false;

  [[nodiscard]] const SubscriberHeader& header() const noexcept {
    return *reinterpret_cast<const SubscriberHeader*>(memory.data());
  }
  // Of its owner now.
  [[nodiscard]] std::int64_t pid() const noexcept { return pid_of(header().common); }
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

// What errors begin with: the topic, what was done ("opening"), and the segment's file.
[[nodiscard]] std::string describe(const TopicDirectory& topic, std::string_view action, SegmentName segment);

// The segments of one role in the topic's directory.
[[nodiscard]] std::vector<PeerId> list_segments(const TopicDirectory& topic, Role role);

// Why a publisher and a subscriber do not fit: depth, history, policy or type; empty if they do. Names both.
// A subscriber that adapts (option fit=any) fits where the types do: it has the publisher's depth where that is less,
// and is lossless with those alone that grant it.
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
  bool adapts;
  const std::optional<TypeInfo>& type;
};
[[nodiscard]] std::string misfit(const Offer& offer, const Request& request);

}  // namespace weir::shm
