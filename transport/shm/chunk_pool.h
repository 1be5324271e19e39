// A publisher's chunks: where payloads are written, and when their memory may be used again.
//
// Layout. One file for each size class in use (names.h), growing as chunks are needed. Only reserved pages (fallocate) are
// ever touched, so a full file system is an error value here and never a SIGBUS there. Everything else (which chunk is
// free, lent, in the ring or retired) is private memory of the publisher: whoever takes over derives it from ring and
// pins.
//
// Invariants. Each chunk is in exactly one state: free, lent, in the ring, retired. A retired chunk becomes free only in
// reclaim(), when no subscriber pins it. `reserved` never exceeds the limit.
//
// Thread safety: none; it belongs to the publisher.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "transport/membership.h"
#include "transport/shm/chunk_ref.h"
#include "transport/shm/file.h"
#include "transport/status.h"

namespace weir::shm {

class ChunkPool {
 public:
  // `memory`: bytes that may be reserved in all. `directory` must outlive the pool.
  ChunkPool(int directory, PeerId publisher, std::size_t memory, std::string topic);

  // A chunk of at least `bytes` from the free ones; none if there is no free one with that much memory behind it.
  [[nodiscard]] ChunkRef take_free(std::size_t bytes) noexcept;
  // The same, reserving memory, and adding a batch of chunks where they are scarce. May give the memory behind free chunks
  // of other sizes back.
  // Errors: limit_exceeded naming `memory`; resource_exhausted; nothing is lost by them.
  [[nodiscard]] Result<ChunkRef> grow(std::size_t bytes);

  // Whether so few chunks of this size are free that looking for retired ones would soon have to be done again.
  [[nodiscard]] bool is_scarce(std::size_t bytes) const noexcept;

  [[nodiscard]] std::byte* address(ChunkRef chunk) const noexcept {
    return mappings_[chunk.size_class()].data() + chunk.offset();
  }

  // A chunk that no subscriber has ever seen is free at once.
  void give_back(ChunkRef chunk) noexcept;
  // A chunk that fell out of the ring may still be pinned.
  void retire(ChunkRef chunk) noexcept { retired_.push_back(chunk); }
  // Frees the retired chunks that are not in `pinned`, which it sorts.
  void reclaim(std::vector<std::uint64_t>& pinned);

  [[nodiscard]] std::size_t reserved() const noexcept { return reserved_; }

 private:
  struct Class {
    File file;
    std::vector<std::uint32_t> free;      // indices
    std::vector<std::uint64_t> reserved;  // bytes behind each chunk
  };

  Status open_class(unsigned size_class);
  Status reserve_chunk(unsigned size_class, std::uint64_t index, std::size_t bytes);
  Status add_batch(unsigned size_class, std::size_t bytes);
  Status reserve_within_limit(unsigned size_class, std::size_t offset, std::size_t bytes);
  // Gives the memory behind free chunks of at least a page back to the file system; true if there was any.
  bool release_free() noexcept;

  int directory_;
  PeerId publisher_;
  std::size_t memory_;
  std::string topic_;
  std::size_t reserved_ = 0;
  std::size_t chunk_total_ = 0;
  std::array<Class, class_count> classes_;
  std::array<Mapping, class_count> mappings_;  // apart from the rest: what the hot path touches
  std::vector<ChunkRef> retired_;
};

}  // namespace weir::shm
