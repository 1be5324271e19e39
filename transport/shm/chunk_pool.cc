#include "transport/shm/chunk_pool.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "transport/shm/layout.h"
#include "transport/shm/names.h"

namespace weir::shm {
namespace {

// New chunks below a page come in batches of this many bytes.
constexpr std::size_t batch_bytes = 4 * page;

constexpr std::size_t pages(std::size_t bytes) noexcept { return (bytes + page - 1) / page * page; }

}  // namespace

ChunkPool::ChunkPool(int directory, PeerId publisher, std::size_t memory, std::string topic)
    : directory_(directory), publisher_(publisher), memory_(memory), topic_(std::move(topic)) {}

bool ChunkPool::is_scarce(std::size_t bytes) const noexcept {
  const unsigned size_class = class_for(bytes);
  if (size_class >= class_count) {
    return true;
  }
  const std::size_t few = std::max<std::size_t>(1, batch_bytes / class_size(size_class) / 2);
  return free_[size_class].size() < few;
}

Result<ChunkRef> ChunkPool::grow(std::size_t bytes) {
  const unsigned size_class = class_for(bytes);
  if (size_class >= class_count || bytes > memory_) {
    return failure(ErrorCode::limit_exceeded,
                   fmt::format("topic \"{}\": a message of {} bytes does not fit into memory={}: raise that option",
                               topic_, bytes, memory_));
  }
  if (Status opened = open_class(size_class); !opened) {
    return tl::unexpected(opened.error());
  }
  std::vector<ChunkRef>& free = free_[size_class];
  if (is_scarce(bytes)) {
    if (Status added = add_batch(size_class, bytes); !added && free.empty()) {
      return tl::unexpected(added.error());
    }
  }
  const ChunkRef chunk = free.back();
  free.pop_back();  // before memory is looked for among the free ones
  if (Status reserved = reserve_chunk(chunk, bytes); !reserved) {
    give_back(chunk);
    return tl::unexpected(reserved.error());
  }
  return chunk;
}

Status ChunkPool::open_class(unsigned size_class) {
  if (files_[size_class]) {
    return {};
  }
  const std::string name = chunk_file_name(publisher_, size_class);
  const std::string what = fmt::format("topic \"{}\": creating {}", topic_, name);
  // It may be there from a try that failed.
  Result<File> file = open_file(directory_, name, O_RDWR | O_CREAT, what);
  if (!file) {
    return tl::unexpected(file.error());
  }
  Result<Mapping> mapping = Mapping::of(*file, class_window(size_class, memory_), Access::write, Fork::loses, what);
  if (!mapping) {
    return tl::unexpected(mapping.error());
  }
  files_[size_class] = std::move(*file);
  mappings_[size_class] = std::move(*mapping);
  bases_[size_class] = mappings_[size_class].data();
  return {};
}

Status ChunkPool::add_batch(unsigned size_class, std::size_t bytes) {
  std::vector<std::uint64_t>& behind = reserved_behind_[size_class];
  const std::size_t size = class_size(size_class);
  const std::size_t first = behind.size();
  const std::size_t most = class_window(size_class, memory_) / size - first;
  const std::size_t count = std::min(most, bytes <= batch_bytes ? std::max<std::size_t>(1, batch_bytes / size) : 1);
  if (count == 0) {
    return failure(
        ErrorCode::limit_exceeded,
        fmt::format("topic \"{}\": {} messages of up to {} bytes are in use, which is all that memory={} allows: "
                    "raise that option, or let subscribers release samples",
                    topic_, first, size, memory_));
  }
  free_[size_class].reserve(first + count);
  behind.reserve(first + count);
  retired_.resize(chunk_total_ + count);
  std::size_t behind_each = 0;
  if (size_class < first_paged_class) {
    if (Status reserved = reserve_within_limit(size_class, first * size, count * size); !reserved) {
      return reserved;
    }
    reserved_ += count * size;
    behind_each = size;
  }
  behind.resize(first + count, behind_each);
  for (std::size_t index = first + count; index-- > first;) {
    give_back(ChunkRef(size_class, index));
  }
  chunk_total_ += count;
  return {};
}

Status ChunkPool::reserve_chunk(ChunkRef chunk, std::size_t bytes) {
  std::uint64_t& behind = reserved_behind_[chunk.size_class()][chunk.index()];
  if (behind >= bytes) {
    return {};
  }
  const std::size_t wanted = pages(bytes);
  if (Status reserved = reserve_within_limit(chunk.size_class(), chunk.offset() + behind, wanted - behind); !reserved) {
    return reserved;
  }
  reserved_ += wanted - behind;
  behind = wanted;
  return {};
}

Status ChunkPool::reserve_within_limit(unsigned size_class, std::size_t offset, std::size_t bytes) {
  if (reserved_ + bytes > memory_ && !(release_free(size_class) && reserved_ + bytes <= memory_)) {
    return failure(
        ErrorCode::limit_exceeded,
        fmt::format("topic \"{}\": {} bytes are in use and {} more would exceed memory={}: raise that option, or "
                    "let subscribers release samples",
                    topic_, reserved_, bytes, memory_));
  }
  const std::string what = fmt::format("topic \"{}\": reserving {} bytes for messages", topic_, bytes);
  Status reserved = reserve(files_[size_class], offset, bytes, what);
  if (!reserved && release_free(size_class)) {
    reserved = reserve(files_[size_class], offset, bytes, what);
  }
  if (!reserved) {
    // What lay in a hole of the file is not taken back by making the file shorter.
    static_cast<void>(!fallocate(files_[size_class].get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                 static_cast<off_t>(offset), static_cast<off_t>(bytes)));
  }
  return reserved;
}

bool ChunkPool::release_free(unsigned growing) noexcept {
  bool released = false;
  // Chunks below a page share pages: their memory goes when the whole class is free.
  for (unsigned size_class = 0; size_class < first_paged_class; ++size_class) {
    const std::size_t count = reserved_behind_[size_class].size();
    if (count != 0 && size_class != growing && free_[size_class].size() == count &&
        punch(size_class, 0, count * class_size(size_class))) {
      free_[size_class].clear();
      reserved_behind_[size_class].clear();
      chunk_total_ -= count;
      released = true;
    }
  }
  for (unsigned size_class = first_paged_class; size_class < class_count; ++size_class) {
    for (const ChunkRef chunk : free_[size_class]) {
      std::uint64_t& behind = reserved_behind_[size_class][chunk.index()];
      if (behind != 0 && punch(size_class, chunk.offset(), behind)) {
        behind = 0;
        released = true;
      }
    }
  }
  return released;
}

bool ChunkPool::punch(unsigned size_class, std::size_t offset, std::size_t bytes) noexcept {
  if (fallocate(files_[size_class].get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                static_cast<off_t>(bytes)) != 0) {
    return false;
  }
  reserved_ -= bytes;
  return true;
}

void ChunkPool::reclaim(std::vector<std::uint64_t>& pinned) {
  std::sort(pinned.begin(), pinned.end());
  const auto is_pinned = [&](ChunkRef chunk) {
    return std::binary_search(pinned.begin(), pinned.end(), chunk.value());
  };
  const auto begin = retired_.begin();
  const auto end = begin + static_cast<std::ptrdiff_t>(retired_count_);
  const auto first_free = pinned.empty() ? begin : std::partition(begin, end, is_pinned);
  std::for_each(first_free, end, [this](ChunkRef chunk) { give_back(chunk); });
  retired_count_ = static_cast<std::size_t>(first_free - begin);
}

}  // namespace weir::shm
