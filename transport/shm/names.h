// Names in the root: one directory a topic, a handful of files in it.
//
//   <root>/camera%2Ffront/          a topic; long names are shortened and hashed
//     topic                         what everyone agrees on, read-only once it is there
//     epoch                         the page of shared counters; users hold its lock
//     p.5f0c93a1d2e4b687            a publisher's segment (p.<id in hexadecimal>)
//     p.5f0c93a1d2e4b687.c0a        its chunks of size class 10
//     p.5f0c93a1d2e4b687.life       a FIFO whose hang-up is the death event
//     s.19be77023fd1c5a4            a subscriber's segment
//     s.19be77023fd1c5a4.life
//     s.19be77023fd1c5a4.wake       a FIFO of wake-up tokens, once fd() was asked for
//   <root>/.new-5f0c93a1d2e4b687/   a directory that is being made, where a group shares the root (sharing.h)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "transport/membership.h"

namespace weir::shm {

inline constexpr const char* topic_file = "topic";
inline constexpr const char* epoch_file = "epoch";

// The directory of a topic: its bytes with everything but letters, digits, '-', '_' and '.' (not at the front) escaped
// as %XX; above 200 bytes a prefix, a '~' and 32 hexadecimal digits of a hash of the whole. Different topics may in
// theory share a hash: the topic file holds the full name, and it is compared.
[[nodiscard]] std::string directory_of(std::string_view topic);

// Whether directory_of can have made this name: a janitor looks at no other. False for "." and "..", and with a slash.
[[nodiscard]] bool is_directory_name(std::string_view name) noexcept;

// A new name for a directory that is not finished; and whether a name is one.
[[nodiscard]] std::string half_made_name();
[[nodiscard]] bool is_half_made(std::string_view name) noexcept;

[[nodiscard]] std::string segment_name(Role role, PeerId id);
[[nodiscard]] std::string chunk_file_name(PeerId id, unsigned size_class);
[[nodiscard]] std::string life_name(Role role, PeerId id);
[[nodiscard]] std::string wake_name(Role role, PeerId id);

struct SegmentName {
  Role role;
  PeerId id;
};
// The owner of a segment file; empty for every other name (its companions included).
[[nodiscard]] std::optional<SegmentName> parse_segment_name(std::string_view name);
// The segment to which a companion file (chunks, FIFOs) belongs; empty for every other name.
[[nodiscard]] std::optional<SegmentName> parse_companion_name(std::string_view name);

// The id of a durable member comes from its name, so that whoever returns under the name finds its segment: a hash with
// the highest bit set. Two names may in theory share one: the segment holds the name, and it is compared.
[[nodiscard]] PeerId durable_id(std::string_view name);
[[nodiscard]] constexpr bool is_durable(PeerId id) noexcept { return id >> 63U != 0; }

// A random id for everybody else: never 0, and never one that is_durable.
[[nodiscard]] PeerId random_id();

}  // namespace weir::shm
