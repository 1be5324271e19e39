// One publisher's chunks as a subscriber sees them: mapped read-only, lazily, and checked before they are touched.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "transport/membership.h"
#include "transport/shm/chunk_ref.h"
#include "transport/shm/file.h"
#include "transport/shm/ring.h"
#include "transport/status.h"

namespace weir::shm {

class ChunkView {
 public:
  ChunkView() = default;
  // `directory` must outlive the view; `memory` is the publisher's limit, from its header.
  ChunkView(int directory, PeerId publisher, std::size_t memory, std::string topic);

  // Where a sample's chunk begins; null unless that is known already: then look_again() tells.
  [[nodiscard]] const std::byte* find(const Descriptor& sample) const noexcept {
    return sample.header_size > sample.payload_offset ? nullptr
                                                      : find(sample.chunk, sample.payload_offset, sample.size);
  }
  // The same, given how many bytes from the chunk's start the payload is and how many it has.
  [[nodiscard]] const std::byte* find(ChunkRef chunk, std::uint32_t payload_offset, std::uint64_t size) const noexcept {
    const Known& known = known_[chunk.shelf()];
    const std::uint64_t start = chunk.offset() + payload_offset;  // below 2^49, so it does not overflow
    if (start + size >= known.bound || start + size < start) [[unlikely]] {
      return nullptr;
    }
    return known.base + chunk.offset();
  }
  // The same with system calls: maps a class's file at its first sight, and looks at the file's size again. Errors:
  // corrupt if the descriptor leads out of the publisher's memory; resource_exhausted if it cannot be mapped: try again
  // later, nothing is lost.
  [[nodiscard]] Result<const std::byte*> look_again(const Descriptor& sample);

 private:
  // What is mapped of a size class, and one more than the bytes that the file was seen to fill; 0 if it is not mapped,
  // so that not even an empty message is found there.
  struct Known {
    const std::byte* base = nullptr;
    std::size_t bound = 0;
  };

  int directory_ = -1;
  PeerId publisher_ = 0;
  std::size_t memory_ = 0;
  std::string topic_;
  std::array<Mapping, class_count> mappings_;
  std::array<Known, ChunkRef::shelf_count> known_{};  // by shelf
};

}  // namespace weir::shm
