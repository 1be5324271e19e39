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

// The number of the highest bit of an offset in a chunk that holds so many bytes: its class plus class_bits.
inline constexpr unsigned class_bits = smallest_class_bits - 1;
[[nodiscard]] constexpr std::size_t highest_bit_in(std::size_t bytes) noexcept {
  constexpr std::size_t below_smallest = (std::size_t{1} << smallest_class_bits) - 1;
  const std::size_t last = (bytes - (bytes != 0 ? 1 : 0)) | below_smallest;  // no branch, and never 0
  return 63U ^ static_cast<unsigned>(std::countl_zero(last));                // one instruction on x86
}

// The smallest class that holds so many bytes; class_count or more if none does.
[[nodiscard]] constexpr unsigned class_for(std::size_t bytes) noexcept {
  return static_cast<unsigned>(highest_bit_in(bytes)) - class_bits;
}

// How many bytes of address space a mapping of one class takes under a publisher's `memory` limit: twice that, as a
// message fills more than half of its chunk, and only what it fills has memory behind it.
[[nodiscard]] constexpr std::size_t class_window(unsigned size_class, std::size_t memory) noexcept {
  const std::size_t size = class_size(size_class);
  return (memory / size + 1) * 2 * size;
}

// 0 is no chunk. Bits 0–5: class plus 1; bits 6–47: offset in the class's file, which is a multiple of 64, in bytes, so
// that neither has to be shifted on the data path. Bits 48–63 belong to pins.
class ChunkRef {
 public:
  // How many values shelf() can have, those that name no class included.
  static constexpr std::size_t shelf_count = 64;
  [[nodiscard]] static constexpr unsigned shelf_for(unsigned size_class) noexcept { return size_class + 1; }

  constexpr ChunkRef() = default;
  constexpr ChunkRef(unsigned size_class, std::uint64_t index)
      : value_(index << (size_class + smallest_class_bits) | shelf_for(size_class)) {}
  [[nodiscard]] static constexpr ChunkRef from(std::uint64_t value) noexcept { return from_own(value & mask); }
  // For a value that nobody else can have written.
  [[nodiscard]] static constexpr ChunkRef from_own(std::uint64_t value) noexcept {
    ChunkRef chunk;
    chunk.value_ = value;
    return chunk;
  }

  constexpr explicit operator bool() const noexcept { return value_ != 0; }
  [[nodiscard]] constexpr std::uint64_t value() const noexcept { return value_; }
  // Where tables by class keep this one: its class plus 1, below shelf_count.
  [[nodiscard]] constexpr unsigned shelf() const noexcept { return static_cast<unsigned>(value_ & shelf_mask); }
  // class_count or more for what names no class.
  [[nodiscard]] constexpr unsigned size_class() const noexcept { return shelf() - 1; }
  [[nodiscard]] constexpr std::uint64_t index() const noexcept {
    return offset() >> (size_class() + smallest_class_bits);
  }
  // Bytes from the start of the class's file.
  [[nodiscard]] constexpr std::uint64_t offset() const noexcept { return value_ & ~std::uint64_t{shelf_mask}; }

  friend constexpr bool operator==(ChunkRef, ChunkRef) = default;

 private:
  static constexpr unsigned shelf_mask = shelf_count - 1;
  static constexpr std::uint64_t mask = (std::uint64_t{1} << 48U) - 1;
  std::uint64_t value_ = 0;
};

// A pin: the chunk and the entry of the cursor table, which tells whose chunk it is.
[[nodiscard]] constexpr std::uint64_t pin_of(ChunkRef chunk, std::size_t entry) noexcept {
  return std::uint64_t{entry} << 48U | chunk.value();
}
// A pin where no chunk has to be held: its place is in use. Names no chunk and no entry, and is not 0.
inline constexpr std::uint64_t pin_of_no_chunk = std::uint64_t{0xffff} << 48U | std::uint64_t{1} << smallest_class_bits;
[[nodiscard]] constexpr std::size_t entry_of_pin(std::uint64_t pin) noexcept { return pin >> 48U; }

}  // namespace weir::shm
