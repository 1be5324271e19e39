// The name of a chunk: its size class and its index in the file of that class. One word, so that a pin is one word too.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace weir::shm {

// Classes are powers of two from 64 bytes to 1 TiB.
inline constexpr unsigned smallest_class_bits = 6;
inline constexpr unsigned class_count = 35;

[[nodiscard]] constexpr std::size_t class_size(unsigned size_class) noexcept {
  return std::size_t{1} << (size_class + smallest_class_bits);
}

// The smallest class that holds so many bytes; class_count or more if none does.
[[nodiscard]] constexpr unsigned class_for(std::size_t bytes) noexcept {
  const auto bits = static_cast<unsigned>(std::bit_width(bytes <= 1 ? 0 : bytes - 1));
  return bits <= smallest_class_bits ? 0 : bits - smallest_class_bits;
}

// How many bytes of address space a mapping of one class takes under a publisher's `memory` limit: twice that, as a
// message fills more than half of its chunk, and only what it fills has memory behind it.
[[nodiscard]] constexpr std::size_t class_window(unsigned size_class, std::size_t memory) noexcept {
  const std::size_t size = class_size(size_class);
  return (memory / size + 1) * 2 * size;
}

// 0 is no chunk. Bits 42–47: class; bits 0–41: offset in the class's file, in units of 64 bytes, plus 1. Bits 48–63
// belong to pins.
class ChunkRef {
 public:
  // Classes that the bits can name; those from class_count on do not exist.
  static constexpr std::size_t class_limit = 64;

  constexpr ChunkRef() = default;
  constexpr ChunkRef(unsigned size_class, std::uint64_t index)
      : value_(std::uint64_t{size_class} << class_shift | ((index << size_class) + 1)) {}
  [[nodiscard]] static constexpr ChunkRef from(std::uint64_t value) noexcept {
    ChunkRef chunk;
    chunk.value_ = value & mask;
    return chunk;
  }

  constexpr explicit operator bool() const noexcept { return value_ != 0; }
  [[nodiscard]] constexpr std::uint64_t value() const noexcept { return value_; }
  [[nodiscard]] constexpr unsigned size_class() const noexcept { return static_cast<unsigned>(value_ >> class_shift); }
  [[nodiscard]] constexpr std::uint64_t index() const noexcept { return units() >> size_class(); }
  // Bytes from the start of the class's file; beyond every file if this is no chunk.
  [[nodiscard]] constexpr std::uint64_t offset() const noexcept { return units() << smallest_class_bits; }

  friend constexpr bool operator==(ChunkRef, ChunkRef) = default;

 private:
  static constexpr unsigned class_shift = 42;
  static constexpr std::uint64_t mask = (std::uint64_t{1} << 48U) - 1;
  [[nodiscard]] constexpr std::uint64_t units() const noexcept {
    return (value_ - 1) & ((std::uint64_t{1} << class_shift) - 1);
  }
  std::uint64_t value_ = 0;
};

// A pin: the chunk and the entry of the cursor table, which tells whose chunk it is.
[[nodiscard]] constexpr std::uint64_t pin_of(ChunkRef chunk, std::size_t entry) noexcept {
  return std::uint64_t{entry} << 48U | chunk.value();
}
[[nodiscard]] constexpr std::size_t entry_of_pin(std::uint64_t pin) noexcept { return pin >> 48U; }

}  // namespace weir::shm
