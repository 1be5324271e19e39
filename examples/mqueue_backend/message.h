// What goes through a queue: where a message comes from, and its bytes or the file that has them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace mqueue {

struct Message {
  static constexpr std::size_t small = 256;

  std::uint64_t publisher;
  std::uint64_t sequence;
  std::int64_t time;  // CLOCK_MONOTONIC, nanoseconds
  std::uint64_t size;
  std::uint64_t header_size;
  std::array<std::byte, small> bytes;  // payload, then header; unused if they do not fit

  [[nodiscard]] bool in_file() const noexcept { return size + header_size > small; }
};

}  // namespace mqueue
