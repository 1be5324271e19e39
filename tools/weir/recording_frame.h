// The frames of a recording, as bytes of a file.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "transport/shm/file.h"

namespace weir::tool {

// What a recording begins with.
struct FileHead {
  std::array<char, 8> magic;
  std::uint64_t version;
};
inline constexpr FileHead file_head{.magic = {'w', 'e', 'i', 'r', 'r', 'e', 'c', '\n'}, .version = 1};

// What a complete one ends with, behind the frame of the index.
struct Trailer {
  std::array<char, 8> magic;
  std::uint64_t index;  // offset of that frame
};
inline constexpr std::array<char, 8> trailer_magic{'w', 'e', 'i', 'r', 'e', 'n', 'd', '\n'};

enum class FrameKind : std::uint32_t {
  source = 0x65'63'72'73,   // "srce"
  message = 0x67'73'65'6d,  // "mesg"
  index = 0x78'64'6e'69,    // "indx"
};

// What a frame begins with.
struct FrameHead {
  FrameKind kind;
  std::uint32_t check;  // CRC-32 (zlib's) of the whole frame, with 0 in this place
  std::uint64_t size;   // of what follows
};

// What lies at an offset of a file.
struct Frame {
  enum class State : std::uint8_t {
    whole,
    none,       // the file ends here
    cut_short,  // the file ends within it
    damaged,    // it is no frame, or fails its check
  };
  State state = State::none;
  FrameKind kind = FrameKind::message;
  std::uint64_t end = 0;  // offset behind it, if it is whole or only fails its check; else 0
};

// Reads the frame at an offset; `content` becomes what follows its head. More memory than for those before it, or a
// MiB or so, is taken for a whole one alone.
[[nodiscard]] Frame read_frame(const shm::File& file, std::uint64_t offset, std::vector<std::byte>& content);

// Whether a whole frame begins anywhere behind an offset. Also true if so much there claims to be one that checking it
// all would take much longer than reading the file.
[[nodiscard]] bool holds_a_frame(const shm::File& file, std::uint64_t offset);

// Reads all of `into`. False: the file is shorter, or cannot be read.
[[nodiscard]] bool read_all(const shm::File& file, std::uint64_t offset, std::span<std::byte> into);

using Parts = std::span<const std::span<const std::byte>>;

// The head of a frame with these contents.
[[nodiscard]] FrameHead frame_head(FrameKind kind, Parts parts);

// Writes the parts, one behind the other, with as few calls as it takes; `at` is raised by what was written. The errno
// of what failed, or 0.
[[nodiscard]] int write_all(const shm::File& file, std::uint64_t& at, Parts parts);

template <class Value>
[[nodiscard]] std::span<const std::byte> bytes_of(const Value& value) noexcept {
  return std::as_bytes(std::span(&value, 1));
}

}  // namespace weir::tool
