#include "transport/shm/chunk_view.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "transport/shm/names.h"

namespace weir::shm {

ChunkView::ChunkView(int directory, PeerId publisher, std::size_t memory, std::string topic)
    : directory_(directory), publisher_(publisher), memory_(memory), topic_(std::move(topic)) {}

Status ChunkView::settle_in(const Residence& residence) {
  residence_ = residence;
  for (unsigned size_class = 0; size_class < class_count; ++size_class) {
    const std::string name = chunk_file_name(publisher_, size_class);
    const std::string what = fmt::format("topic \"{}\": opening {}", topic_, name);
    const Result<File> file = open_file(directory_, name, O_RDONLY, what);
    if (!file && file.error().code() != ErrorCode::not_found) {
      return tl::unexpected(file.error());
    }
    const std::size_t size = file ? std::min(size_of(*file), class_window(size_class, memory_)) : 0;
    if (size != 0) {
      if (Status seen = see(size_class, *file, size, what); !seen) {
        return seen;
      }
    }
  }
  return {};
}

Status ChunkView::see(unsigned size_class, const File& file, std::size_t size, std::string_view what) {
  Mapping& mapping = mappings_[size_class];
  if (!mapping) {
    Result<Mapping> mapped = Mapping::of(file, class_window(size_class, memory_), Access::read, Fork::keeps, what);
    if (!mapped) {
      return tl::unexpected(mapped.error());
    }
    mapping = std::move(*mapped);
  }
  Known& known = known_[ChunkRef::shelf_for(size_class)];
  if (residence_.any()) {
    const std::size_t before = known.bound - (known.bound != 0 ? 1 : 0);
    if (Status resident = make_reserved_resident(residence_, file, mapping, before, size, what); !resident) {
      return resident;
    }
  }
  known = {.base = mapping.data(), .bound = size + 1};
  return {};
}

Result<const std::byte*> ChunkView::look_again(const Descriptor& sample) {
  const auto corrupt = [this](std::string_view reason) {
    return failure(
        ErrorCode::corrupt,
        fmt::format("topic \"{}\": publisher {:016x} describes a message {}: its memory has been overwritten; "
                    "restart it",
                    topic_, publisher_, reason));
  };
  const unsigned size_class = sample.chunk.size_class();
  if (!sample.chunk || size_class >= class_count || sample.size > class_size(size_class) ||
      sample.payload_offset > class_size(size_class) - sample.size || sample.header_size > sample.payload_offset) {
    return corrupt("that does not fit into its chunk");
  }
  const std::size_t window = class_window(size_class, memory_);
  const std::size_t offset = sample.chunk.offset();
  if (offset >= window) {
    return corrupt("beyond its memory limit");
  }
  const std::string name = chunk_file_name(publisher_, size_class);
  const std::string what = fmt::format("topic \"{}\": opening {}", topic_, name);
  const Result<File> file = open_file(directory_, name, O_RDONLY, what);
  if (!file && file.error().code() == ErrorCode::not_found) {
    return corrupt("in a file that somebody has removed");
  }
  if (!file) {
    return tl::unexpected(file.error());
  }
  const std::size_t size = std::min(size_of(*file), window);
  if (offset + sample.payload_offset + sample.size > size) {
    return corrupt("beyond the end of its file");
  }
  if (Status seen = see(size_class, *file, size, what); !seen) {
    return tl::unexpected(seen.error());
  }
  return mappings_[size_class].data() + offset;
}

}  // namespace weir::shm
