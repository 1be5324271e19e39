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

  // Where a sample's chunk begins. Maps its file at the first sight of a size class; looks at the file's size again only
  // when the chunk lies beyond what is known. Errors: corrupt if the descriptor leads out of the publisher's memory;
  // resource_exhausted if it cannot be mapped: try again later, nothing is lost.
  [[nodiscard]] Result<const std::byte*> chunk(const Descriptor& sample) {
    const unsigned size_class = sample.chunk.size_class();
    if (size_class < class_count && fits(sample) &&
        sample.chunk.offset() + sample.payload_offset + sample.size <= known_size_[size_class]) [[likely]] {
      return mappings_[size_class].data() + sample.chunk.offset();
    }
    return look_again(sample);
  }

 private:
  // Whether header and payload lie within the chunk.
  [[nodiscard]] static bool fits(const Descriptor& sample) noexcept {
    const std::size_t size = class_size(sample.chunk.size_class());
    return sample.chunk && sample.payload_offset <= size && sample.size <= size - sample.payload_offset &&
           sample.header_size <= sample.payload_offset;
  }
  [[nodiscard]] Result<const std::byte*> look_again(const Descriptor& sample);

  int directory_ = -1;
  PeerId publisher_ = 0;
  std::size_t memory_ = 0;
  std::string topic_;
  std::array<Mapping, class_count> mappings_;
  std::array<std::size_t, class_count> known_size_{};
};

}  // namespace weir::shm
