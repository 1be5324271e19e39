// One publisher's chunks as a subscriber sees them: mapped read-only, lazily, and checked before they are touched.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "transport/membership.h"
#include "transport/shm/chunk_ref.h"
#include "transport/shm/file.h"
#include "transport/shm/residence.h"
#include "transport/shm/ring.h"
#include "transport/status.h"

namespace weir::shm {

class ChunkView {
 public:
  ChunkView() = default;
  // `directory` must outlive the view; `memory` is the publisher's limit, from its header.
  ChunkView(int directory, PeerId publisher, std::size_t memory, std::string topic);
  // From now on, what has memory when it is first seen is brought into memory, beginning with what there is. Errors: as
  // look_again(), make_resident().
  [[nodiscard]] Status settle_in(const Residence& residence);

  // Where a sample's chunk begins; null unless that is known already: then look_again() tells.
  [[nodiscard]] const std::byte* find(const Descriptor& sample) const noexcept {
    const std::uint64_t end = sample.payload_offset + sample.size;
    return sample.header_size > sample.payload_offset || end < sample.size || !holds(sample.chunk, end)
               ? nullptr
               : address(sample.chunk);
  }
  // Whether so many bytes from the chunk's start on are known to be there. Any word will do as the reference.
  [[nodiscard]] bool holds(ChunkRef chunk, std::uint64_t bytes) const noexcept {
    std::uint64_t end = 0;
    return !__builtin_add_overflow(chunk.offset(), bytes, &end) && end < known_[chunk.shelf()].bound;
  }
  // Where a chunk begins of which that is so.
  [[nodiscard]] const std::byte* address(ChunkRef chunk) const noexcept {
    return known_[chunk.shelf()].base + chunk.offset();
  }
  // The same with system calls: maps a class's file at its first sight, and looks at the file's size again. Errors:
  // corrupt if the descriptor leads out of the publisher's memory; resource_exhausted if it cannot be mapped: try again
  // later, nothing is lost.
  [[nodiscard]] Result<const std::byte*> look_again(const Descriptor& sample);

 private:
  // Maps the file of a class, and notes how much it fills.
  Status see(unsigned size_class, const File& file, std::size_t size, std::string_view what);

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
  Residence residence_;
  std::array<Mapping, class_count> mappings_;
  std::array<Known, ChunkRef::shelf_count> known_{};  // by shelf
};

}  // namespace weir::shm
