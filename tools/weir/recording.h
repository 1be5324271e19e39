// The file of `weir record`: what is in it, and what is known of it. docs/command-line.md has its layout byte by byte.
//
// It is a head and then frames, one behind the other, each with its kind, its size and a check of all its bytes: a
// publisher that messages come from (once), or a message, and at the very end an index and a trailer that leads to it.
//
// A message counts when its frame is whole. A recorder that is killed, or a disk that is full, leaves at worst a piece
// of a frame at the end, without index and trailer: a reader then goes through the frames one by one up to that piece,
// and a recorder that continues the file cuts it off first. A piece behind which a whole frame lies is damage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "transport/membership.h"
#include "transport/qos.h"

namespace weir::tool {

inline constexpr std::uint64_t unknown_sequence = ~std::uint64_t{0};

// A publisher of which messages are in the file; where the backend tells no publishers apart, a topic.
struct RecordedSource {
  std::string topic;                  // the endpoint, without options but the root
  PeerId publisher = 0;               // 0: unknown
  std::string name = {};              // of the publisher
  std::optional<TypeInfo> type = {};  // that it states

  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;    // of payload
  std::uint64_t lost = 0;     // announced to the recorder as lost
  std::uint64_t missing = 0;  // published while no recorder ran
  std::uint64_t next = 0;     // one more than the last sequence; 0: none is known
};

// A message. Its bytes belong to whoever made it.
struct RecordedMessage {
  std::uint32_t source = 0;  // index in Summary::sources
  std::uint64_t sequence = unknown_sequence;
  std::uint64_t lost_before = 0;
  std::int64_t time = 0;  // of publication, in nanoseconds since 1970
  std::span<const std::byte> header = {};
  std::span<const std::byte> payload = {};
};

// A frame, and the latest time of all messages before it: so a reader that looks for a time finds where to begin.
struct Place {
  std::uint64_t offset = 0;
  std::int64_t time = 0;
};

// What is known of a whole recording.
struct Summary {
  std::vector<RecordedSource> sources;
  std::vector<Place> places;  // of one message in so many bytes
  std::int64_t first = 0;     // the earliest time and the latest
  std::int64_t last = 0;
  std::uint64_t end = 0;      // of the last whole frame that is no index
  bool is_complete = false;   // index and trailer are there: its recorder ended in order
  bool is_damaged = false;    // what lies at `end` is no piece of a frame, and was never written by a recorder
  std::uint64_t surplus = 0;  // bytes behind `end` that are no index

  [[nodiscard]] std::uint64_t messages() const noexcept;
  [[nodiscard]] std::uint64_t lost() const noexcept;
  [[nodiscard]] std::uint64_t missing() const noexcept;
  // Counts a message whose frame begins at `offset`.
  void add(const RecordedMessage& message, std::uint64_t offset);
};

// What a frame of each kind holds. Decoding what no recorder wrote gives nothing.
[[nodiscard]] std::string encode(const RecordedSource& source);
[[nodiscard]] std::optional<RecordedSource> decode_source(std::span<const std::byte> content);

struct MessageHead {
  std::uint32_t source;
  std::uint32_t header_size;
  std::uint64_t sequence;
  std::uint64_t lost_before;
  std::int64_t time;
};
[[nodiscard]] MessageHead head_of(const RecordedMessage& message) noexcept;
// Its bytes are those of `content`.
[[nodiscard]] std::optional<RecordedMessage> decode_message(std::span<const std::byte> content, std::size_t sources);

[[nodiscard]] std::string encode_index(const Summary& summary);
[[nodiscard]] std::optional<Summary> decode_index(std::span<const std::byte> content);

}  // namespace weir::tool
