#include "transport/shm/chunk_pool.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

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

ChunkRef ChunkPool::take_free(std::size_t bytes) noexcept {
  const unsigned size_class = class_for(bytes);
  if (size_class >= class_count) {
    return {};
  }
  Class& chunks = classes_[size_class];
  if (chunks.free.empty()) {
    return {};
  }
  const std::uint32_t index = chunks.free.back();  // the one used last: its memory is warmest
  if (class_size(size_class) >= page && chunks.reserved[index] < bytes) {
    return {};
  }
  chunks.free.pop_back();
  return {size_class, index};
}

bool ChunkPool::is_scarce(std::size_t bytes) const noexcept {
  const unsigned size_class = class_for(bytes);
  if (size_class >= class_count) {
    return true;
  }
  const std::size_t few = std::max<std::size_t>(1, batch_bytes / class_size(size_class) / 2);
  return classes_[size_class].free.size() < few;
}

Result<ChunkRef> ChunkPool::grow(std::size_t bytes) {
  const unsigned size_class = class_for(bytes);
  if (size_class >= class_count || bytes > memory_) {
    return failure(ErrorCode::limit_exceeded,
                   fmt::format("topic \"{}\": a message of {} bytes does not fit into memory={}: raise that option", topic_,
                               bytes, memory_));
  }
  if (Status opened = open_class(size_class); !opened) {
    return tl::unexpected(opened.error());
  }
  Class& chunks = classes_[size_class];
  if (is_scarce(bytes)) {
    if (Status added = add_batch(size_class, bytes); !added && chunks.free.empty()) {
      return tl::unexpected(added.error());
    }
  }
  const ChunkRef chunk(size_class, chunks.free.back());
  chunks.free.pop_back();  // before memory is looked for among the free ones
  if (Status reserved = reserve_chunk(size_class, chunk.index(), bytes); !reserved) {
    give_back(chunk);
    return tl::unexpected(reserved.error());
  }
  return chunk;
}

Status ChunkPool::open_class(unsigned size_class) {
  Class& chunks = classes_[size_class];
  if (chunks.file) {
    return {};
  }
  const std::string name = chunk_file_name(publisher_, size_class);
  const std::string what = fmt::format("topic \"{}\": creating {}", topic_, name);
  Result<File> file = open_file(directory_, name, O_RDWR | O_CREAT, what);  // perhaps from a try that failed
  if (!file) {
    return tl::unexpected(file.error());
  }
  Result<Mapping> mapping = Mapping::of(*file, class_window(size_class, memory_), Access::write, Fork::loses, what);
  if (!mapping) {
    return tl::unexpected(mapping.error());
  }
  chunks.file = std::move(*file);
  mappings_[size_class] = std::move(*mapping);
  return {};
}

Status ChunkPool::add_batch(unsigned size_class, std::size_t bytes) {
  Class& chunks = classes_[size_class];
  const std::size_t size = class_size(size_class);
  const std::size_t most = class_window(size_class, memory_) / size;
  const std::size_t count = std::min(std::max<std::size_t>(1, batch_bytes / size), most - chunks.reserved.size());
  const std::size_t first = chunks.reserved.size();
  if (count == 0) {
    return failure(ErrorCode::limit_exceeded,
                   fmt::format("topic \"{}\": {} messages of up to {} bytes are in use, which is all that memory={} allows: "
                               "raise that option, or let subscribers release samples",
                               topic_, first, size, memory_));
  }
  chunks.free.reserve(first + count);
  chunks.reserved.reserve(first + count);
  const std::size_t behind_each = size >= page ? 0 : size;
  if (behind_each != 0) {
    if (Status reserved = reserve_within_limit(size_class, first * size, count * size); !reserved) {
      return reserved;
    }
    reserved_ += count * size;
  }
  // A chunk of a page or more gets its memory when it is lent, and only as much as the message needs.
  const std::size_t added = behind_each != 0 || bytes <= batch_bytes ? count : 1;
  for (std::size_t index = first + added; index-- > first;) {
    chunks.free.push_back(static_cast<std::uint32_t>(index));
  }
  chunks.reserved.resize(first + added, behind_each);
  chunk_total_ += added;
  retired_.reserve(chunk_total_);  // so that retire() never allocates
  return {};
}

Status ChunkPool::reserve_chunk(unsigned size_class, std::uint64_t index, std::size_t bytes) {
  std::uint64_t& behind = classes_[size_class].reserved[index];
  if (behind >= bytes) {
    return {};
  }
  const std::size_t wanted = pages(bytes);
  const std::size_t start = index * class_size(size_class) + behind;
  if (Status reserved = reserve_within_limit(size_class, start, wanted - behind); !reserved) {
    return reserved;
  }
  reserved_ += wanted - behind;
  behind = wanted;
  return {};
}

Status ChunkPool::reserve_within_limit(unsigned size_class, std::size_t offset, std::size_t bytes) {
  if (reserved_ + bytes > memory_ && !(release_free() && reserved_ + bytes <= memory_)) {
    return failure(ErrorCode::limit_exceeded,
                   fmt::format("topic \"{}\": {} bytes are in use and {} more would exceed memory={}: raise that option, or "
                               "let subscribers release samples",
                               topic_, reserved_, bytes, memory_));
  }
  const std::string what = fmt::format("topic \"{}\": reserving {} bytes for messages", topic_, bytes);
  Status reserved = reserve(classes_[size_class].file, offset, bytes, what);
  if (!reserved && release_free()) {
    reserved = reserve(classes_[size_class].file, offset, bytes, what);
  }
  return reserved;
}

bool ChunkPool::release_free() noexcept {
  bool released = false;
  for (unsigned size_class = 0; size_class < class_count; ++size_class) {
    Class& chunks = classes_[size_class];
    if (class_size(size_class) < page) {
      continue;
    }
    for (const std::uint32_t index : chunks.free) {
      std::uint64_t& behind = chunks.reserved[index];
      const auto start = static_cast<off_t>(index * class_size(size_class));
      if (behind != 0 && fallocate(chunks.file.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, start,
                                   static_cast<off_t>(behind)) == 0) {
        reserved_ -= behind;
        behind = 0;
        released = true;
      }
    }
  }
  return released;
}

void ChunkPool::give_back(ChunkRef chunk) noexcept {
  classes_[chunk.size_class()].free.push_back(static_cast<std::uint32_t>(chunk.index()));
}

void ChunkPool::reclaim(std::vector<std::uint64_t>& pinned) {
  std::sort(pinned.begin(), pinned.end());
  const auto is_pinned = [&](ChunkRef chunk) {
    return std::binary_search(pinned.begin(), pinned.end(), chunk.value());
  };
  const auto first_free = std::partition(retired_.begin(), retired_.end(), is_pinned);
  std::for_each(first_free, retired_.end(), [this](ChunkRef chunk) { give_back(chunk); });
  retired_.erase(first_free, retired_.end());
}

}  // namespace weir::shm
