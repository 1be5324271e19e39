// A publisher's chunks: where payloads are written, and when their memory may be used again.
//
// Layout. One file for each size class in use (names.h), growing as chunks are needed. Only reserved pages (fallocate)
// are ever touched, so a full file system is an error value here and never a SIGBUS there. Everything else (which chunk
// is free, lent, in the ring or retired) is private memory of the publisher: whoever takes over derives it from ring
// and pins.
//
// Invariants. Each chunk is in exactly one state: free, lent, in the ring, retired. A retired chunk becomes free only
// in reclaim(), when no subscriber pins it. `reserved` never exceeds the limit.
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
#include "transport/shm/layout.h"
#include "transport/shm/recovery.h"
#include "transport/shm/residence.h"
#include "transport/shm/topic_directory.h"
#include "transport/status.h"

namespace weir::shm {

class ChunkPool {
 public:
  // `memory`: bytes that may be reserved in all. `topic` must outlive the pool.
  ChunkPool(const TopicDirectory& topic, PeerId publisher, std::size_t memory, const Residence& residence);
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;
  ~ChunkPool() = default;

  // A chunk of at least `bytes` (at most the largest class) from the free ones; none if there is no free one with that
  // much memory behind it.
  [[nodiscard]] ChunkRef take_free(std::size_t bytes) noexcept {
    const unsigned size_class = class_for(bytes);
    ChunkRef*& top = free_top_[ChunkRef::shelf_for(size_class)];
    const ChunkRef chunk = *top;  // the one used last: its memory is warmest
    if (!chunk || (size_class >= first_paged_class && reserved_behind_[size_class][chunk.index()] < bytes))
        [[unlikely]] {
      return {};
    }
    --top;
    return chunk;
  }
  // The same for a payload at the start of its chunk, in few instructions; none also for messages of a page and more.
  struct Lent {
    ChunkRef chunk;
    std::byte* address = nullptr;
  };
  [[nodiscard]] Lent take_small(std::size_t bytes) noexcept {
    const std::size_t bit = highest_bit_in(bytes);
    const std::size_t shelf = bit - class_bits + ChunkRef::shelf_for(0);
    ChunkRef* const top = free_top_[shelf];
    const ChunkRef chunk = *top;
    if (!chunk || bit >= first_paged_class + class_bits) [[unlikely]] {
      return {};
    }
    free_top_[shelf] = top - 1;
    return {chunk, bases_[shelf] + chunk.offset()};
  }
  // The same as take_free(), reserving memory, and adding a batch of chunks where they are scarce. May give the memory
  // behind free chunks of other sizes back. Errors: limit_exceeded for what never fits into `memory`;
  // resource_exhausted, also for what fits once others are given back; nothing is lost by them.
  [[nodiscard]] Result<ChunkRef> grow(std::size_t bytes);

  // Reserves memory for so many messages of that size, those in use among them. Errors: as grow().
  [[nodiscard]] Status prepare(std::size_t bytes, std::size_t count);

  // Takes over the files of a former owner, in an empty pool: `kept` are in the ring, sorted; all other chunks are
  // retired. Errors: resource_exhausted; corrupt when a kept one is beyond its file.
  [[nodiscard]] Status take_over(std::span<const KeptChunk> kept);
  // Gives memory that the former owner left behind free chunks back to the file system: after the first reclaim().
  void release_unaccounted() noexcept;
  // Returns when all that was written to chunks is on the disk, if they are on one. False: some of it may not be.
  [[nodiscard]] bool write_to_disk() const noexcept;

  // Whether so few chunks of this size are free that looking for retired ones would soon have to be done again. A look
  // takes the lines of cursors and pins away from their subscribers: so a few chunks are kept spare, while memory is
  // plentiful.
  [[nodiscard]] bool is_scarce(std::size_t bytes) const noexcept;

  [[nodiscard]] std::byte* address(ChunkRef chunk) const noexcept { return bases_[chunk.shelf()] + chunk.offset(); }

  // A chunk that no subscriber has ever seen is free at once.
  void give_back(ChunkRef chunk) noexcept { *++free_top_[chunk.shelf()] = chunk; }
  // A chunk that fell out of the ring may still be pinned.
  void retire(ChunkRef chunk) noexcept { *retired_end_[chunk.shelf()]++ = chunk; }
  // Frees the retired chunks that are not in `pinned`, which it sorts.
  void reclaim(std::vector<std::uint64_t>& pinned);

  [[nodiscard]] std::size_t reserved() const noexcept { return reserved_; }

 private:
  // limit_exceeded if so many messages of that size do not fit into `memory`, with nothing else in it.
  [[nodiscard]] Status check_fits(std::size_t bytes, std::size_t count) const;
  Status open_class(unsigned size_class);
  // Makes room for so many chunks of a class in all.
  void make_room(unsigned size_class, std::size_t count);
  Status take_over_class(unsigned size_class, std::size_t count, std::span<const KeptChunk> kept);
  Status reserve_chunk(ChunkRef chunk, std::size_t bytes);
  Status add_batch(unsigned size_class);
  Status reserve_within_limit(unsigned size_class, std::size_t offset, std::size_t bytes);
  // Gives the memory behind free chunks back to the file system, but for small ones of the class that is growing. True
  // if there was any.
  bool release_free(unsigned growing) noexcept;
  bool punch(unsigned size_class, std::size_t offset, std::size_t bytes) noexcept;
  [[nodiscard]] std::size_t free_count(unsigned size_class) const noexcept {
    return free_[size_class].empty()
               ? 0
               : static_cast<std::size_t>(free_top_[ChunkRef::shelf_for(size_class)] - free_[size_class].data());
  }

  // Chunks of these classes get their memory when they are lent, and only as much as the message needs.
  static constexpr unsigned first_paged_class = class_for(page);

  int directory_;
  Audience audience_;
  PeerId publisher_;
  std::size_t memory_;
  Residence residence_;
  std::string topic_;
  std::size_t reserved_ = 0;
  bool may_keep_spares_ = true;  // memory has never been short
  unsigned opened_ = 0;          // classes from here on have no chunks
  // By shelf, which is what the data path needs: the last free chunk, below which lie the others down to an empty
  // reference; behind the last retired chunk; where the mapping begins.
  std::array<ChunkRef*, ChunkRef::shelf_count> free_top_;
  std::array<ChunkRef*, ChunkRef::shelf_count> retired_end_{};
  std::array<std::byte*, ChunkRef::shelf_count> bases_{};
  ChunkRef no_chunk_;  // the top where there are no chunks at all
  // By size class. The first two have room for all chunks of the class, so giving one back never allocates.
  std::array<std::vector<ChunkRef>, class_count> free_;
  std::array<std::vector<ChunkRef>, class_count> retired_;
  std::array<std::vector<std::uint64_t>, class_count> reserved_behind_;  // bytes of memory behind each chunk
  std::array<File, class_count> files_;
  std::array<Mapping, class_count> mappings_;
};

}  // namespace weir::shm
