#include "transport/shm/chunk_pool.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "transport/shm/layout.h"
#include "transport/shm/names.h"

namespace weir::shm {
namespace {

// New chunks below a page come in batches of this many bytes.
constexpr std::size_t batch_bytes = 4 * page;

// Of large messages so many chunks are kept spare, within so many bytes and half of the limit.
constexpr std::size_t most_spare = 8;
constexpr std::size_t spare_bytes = std::size_t{32} << 20U;

constexpr std::size_t pages(std::size_t bytes) noexcept { return (bytes + page - 1) / page * page; }

}  // namespace

ChunkPool::ChunkPool(const TopicDirectory& topic, PeerId publisher, std::size_t memory, const Residence& residence)
    : directory_(topic.descriptor()),
      audience_(topic.audience()),
      publisher_(publisher),
      memory_(memory),
      residence_(residence),
      topic_(topic.place().topic) {
  free_top_.fill(&no_chunk_);
}

bool ChunkPool::is_scarce(std::size_t bytes) const noexcept {
  const unsigned size_class = class_for(bytes);
  if (size_class >= class_count) {
    return true;
  }
  const std::size_t size = class_size(size_class);
  std::size_t few = batch_bytes / size / 2;
  if (size_class >= first_paged_class && may_keep_spares_ && reserved_ + size <= memory_ / 2) {
    few = std::min(most_spare, spare_bytes / size);
  }
  return free_count(size_class) < std::max<std::size_t>(1, few);
}

Result<ChunkRef> ChunkPool::grow(std::size_t bytes) {
  const unsigned size_class = class_for(bytes);
  if (Status fits = check_fits(bytes, 1); !fits) {
    return tl::unexpected(fits.error());
  }
  if (Status opened = open_class(size_class); !opened) {
    return tl::unexpected(opened.error());
  }
  if (is_scarce(bytes)) {
    if (Status added = add_batch(size_class); !added && free_count(size_class) == 0) {
      return tl::unexpected(added.error());
    }
  }
  const ChunkRef chunk = *free_top_[ChunkRef::shelf_for(size_class)]--;  // before memory is looked for among the free
  try {
    if (Status reserved = reserve_chunk(chunk, bytes); !reserved) {
      give_back(chunk);
      return tl::unexpected(reserved.error());
    }
  } catch (...) {
    give_back(chunk);
    throw;
  }
  return chunk;
}

Status ChunkPool::check_fits(std::size_t bytes, std::size_t count) const {
  const unsigned size_class = class_for(bytes);
  if (size_class < class_count && bytes <= memory_) {
    const std::size_t in_a_batch = size_class < first_paged_class ? batch_bytes / class_size(size_class) : 1;
    const std::size_t each = size_class < first_paged_class ? batch_bytes : pages(bytes);
    if ((count + in_a_batch - 1) / in_a_batch * each <= memory_) {
      return {};
    }
  }
  const std::string messages = count == 1 ? "a message" : fmt::format("{} messages", count);
  return failure(ErrorCode::limit_exceeded,
                 fmt::format("topic \"{}\": {} of {} bytes will never fit into memory={}: raise that option", topic_,
                             messages, bytes, memory_));
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
  if (Status opened = open_to(audience_, GroupMay::read, *file, what); !opened) {
    return opened;
  }
  Result<Mapping> mapping = Mapping::of(*file, class_window(size_class, memory_), Access::write, Fork::loses, what);
  if (!mapping) {
    return tl::unexpected(mapping.error());
  }
  files_[size_class] = std::move(*file);
  mappings_[size_class] = std::move(*mapping);
  bases_[ChunkRef::shelf_for(size_class)] = mappings_[size_class].data();
  opened_ = std::max(opened_, size_class + 1);
  return {};
}

Status ChunkPool::add_batch(unsigned size_class) {
  std::vector<std::uint64_t>& behind = reserved_behind_[size_class];
  const std::size_t size = class_size(size_class);
  const std::size_t first = behind.size();
  const std::size_t most = class_window(size_class, memory_) / size - first;
  // Those that get their memory when they are lent come one by one: a free one without memory would be looked past.
  const std::size_t count = std::min(most, size_class < first_paged_class ? batch_bytes / size : 1);
  if (count == 0) {
    return failure(
        ErrorCode::resource_exhausted,
        fmt::format("topic \"{}\": {} messages of up to {} bytes are in use, which is all that memory={} allows: "
                    "raise that option, or let subscribers release samples",
                    topic_, first, size, memory_));
  }
  make_room(size_class, first + count);
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
  return {};
}

void ChunkPool::make_room(unsigned size_class, std::size_t count) {
  const unsigned shelf = ChunkRef::shelf_for(size_class);
  const std::size_t free = free_count(size_class);
  const auto retired = static_cast<std::size_t>(retired_end_[shelf] - retired_[size_class].data());
  free_[size_class].resize(count + 1);  // an empty reference lies below the free ones
  free_top_[shelf] = free_[size_class].data() + free;
  retired_[size_class].resize(count);
  retired_end_[shelf] = retired_[size_class].data() + retired;
  reserved_behind_[size_class].reserve(count);
}

Status ChunkPool::prepare(std::size_t bytes, std::size_t count) {
  Status prepared = check_fits(bytes, count);
  if (!prepared) {
    return prepared;
  }
  const unsigned size_class = class_for(bytes);
  const unsigned shelf = ChunkRef::shelf_for(size_class);
  const auto retired = static_cast<std::size_t>(retired_end_[shelf] - retired_[size_class].data());
  const std::size_t in_use = reserved_behind_[size_class].size() - free_count(size_class) - retired;
  std::vector<ChunkRef> chunks;
  while (prepared && chunks.size() + in_use < count) {
    Result<ChunkRef> chunk = take_free(bytes);
    if (!*chunk) {
      chunk = grow(bytes);
    }
    if (chunk) {
      chunks.push_back(*chunk);
    } else {
      prepared = tl::unexpected(chunk.error());
    }
  }
  for (const ChunkRef chunk : chunks) {
    give_back(chunk);
  }
  return prepared;
}

Status ChunkPool::take_over(std::span<const KeptChunk> kept) {
  for (unsigned size_class = 0; size_class < class_count; ++size_class) {
    std::vector<KeptChunk> of_class;
    std::copy_if(kept.begin(), kept.end(), std::back_inserter(of_class),
                 [size_class](const KeptChunk& one) { return one.chunk.size_class() == size_class; });
    const std::string name = chunk_file_name(publisher_, size_class);
    const Result<File> file =
        open_regular_file(directory_, name, O_RDWR, fmt::format("topic \"{}\": taking over {}", topic_, name));
    if (!file && file.error().code() != ErrorCode::not_found) {
      return tl::unexpected(file.error());
    }
    const std::size_t size = class_size(size_class);
    const std::size_t bytes = file ? std::min(size_of(*file), class_window(size_class, memory_)) : 0;
    const bool all_there = std::all_of(of_class.begin(), of_class.end(), [bytes](const KeptChunk& one) {
      return one.chunk.offset() + one.bytes <= bytes;
    });
    if (!all_there) {
      return failure(ErrorCode::corrupt,
                     fmt::format("topic \"{}\": {} is shorter than its samples: it was truncated; remove the topic",
                                 topic_, name));
    }
    if (bytes != 0) {
      if (Status taken = take_over_class(size_class, (bytes + size - 1) / size, of_class); !taken) {
        return taken;
      }
    }
  }
  return {};
}

Status ChunkPool::take_over_class(unsigned size_class, std::size_t count, std::span<const KeptChunk> kept) {
  if (Status opened = open_class(size_class); !opened) {
    return opened;
  }
  const std::size_t size = class_size(size_class);
  const bool is_paged = size_class >= first_paged_class;
  make_room(size_class, count);
  if (!is_paged) {
    // The former owner may have died between making the file longer and reserving all of it.
    const std::string what = fmt::format("topic \"{}\": reserving {} bytes for messages", topic_, count * size);
    if (Status reserved = reserve(files_[size_class], 0, count * size, what); !reserved) {
      return reserved;
    }
    reserved_ += count * size;
  }
  std::vector<std::uint64_t>& behind = reserved_behind_[size_class];
  behind.resize(count, is_paged ? 0 : size);
  auto next_kept = kept.begin();
  for (std::size_t index = 0; index < count; ++index) {
    const ChunkRef chunk(size_class, index);
    if (next_kept == kept.end() || next_kept->chunk != chunk) {
      retire(chunk);
      continue;
    }
    if (is_paged) {
      behind[index] = pages(next_kept->bytes);
      reserved_ += behind[index];
    }
    ++next_kept;
  }
  return {};
}

void ChunkPool::release_unaccounted() noexcept {
  for (unsigned size_class = first_paged_class; size_class < opened_; ++size_class) {
    for (std::size_t place = 1; place <= free_count(size_class); ++place) {
      const ChunkRef chunk = free_[size_class][place];
      if (reserved_behind_[size_class][chunk.index()] == 0) {
        static_cast<void>(!fallocate(files_[size_class].get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                     static_cast<off_t>(chunk.offset()), static_cast<off_t>(class_size(size_class))));
      }
    }
  }
}

bool ChunkPool::write_to_disk() const noexcept {
  return std::all_of(files_.begin(), files_.end(),
                     [](const File& file) { return !file || fdatasync(file.get()) == 0; });
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
        ErrorCode::resource_exhausted,
        fmt::format("topic \"{}\": {} bytes are in use and {} more would exceed memory={}: raise that option, or "
                    "let subscribers release samples",
                    topic_, reserved_, bytes, memory_));
  }
  const std::string what = fmt::format("topic \"{}\": reserving {} bytes for messages", topic_, bytes);
  Status reserved = reserve(files_[size_class], offset, bytes, what);
  if (!reserved && release_free(size_class)) {
    reserved = reserve(files_[size_class], offset, bytes, what);
  }
  if (reserved && residence_.any()) {
    reserved = make_resident(residence_, mappings_[size_class].data() + offset, bytes, Access::write, what);
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
  may_keep_spares_ = false;
  // Chunks below a page share pages: their memory goes when the whole class is free.
  for (unsigned size_class = 0; size_class < first_paged_class; ++size_class) {
    const std::size_t count = reserved_behind_[size_class].size();
    if (count != 0 && size_class != growing && free_count(size_class) == count &&
        punch(size_class, 0, count * class_size(size_class))) {
      free_top_[ChunkRef::shelf_for(size_class)] = free_[size_class].data();
      reserved_behind_[size_class].clear();
      released = true;
    }
  }
  for (unsigned size_class = first_paged_class; size_class < class_count; ++size_class) {
    for (std::size_t place = 1; place <= free_count(size_class); ++place) {
      const ChunkRef chunk = free_[size_class][place];
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
  for (unsigned size_class = 0; size_class < opened_; ++size_class) {
    ChunkRef*& end = retired_end_[ChunkRef::shelf_for(size_class)];
    ChunkRef* const begin = retired_[size_class].data();
    if (begin == end) {
      continue;
    }
    ChunkRef* const first_free = pinned.empty() ? begin : std::partition(begin, end, is_pinned);
    ChunkRef*& top = free_top_[ChunkRef::shelf_for(size_class)];
    top = std::copy(first_free, end, top + 1) - 1;
    end = first_free;
  }
}

}  // namespace weir::shm
