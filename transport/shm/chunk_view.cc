#include "transport/shm/chunk_view.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "transport/shm/names.h"

namespace weir::shm {

ChunkView::ChunkView(int directory, PeerId publisher, std::size_t memory, std::string topic)
    : directory_(directory), publisher_(publisher), memory_(memory), topic_(std::move(topic)) {}

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
  if (!mappings_[size_class]) {
    Result<Mapping> mapping = Mapping::of(*file, window, Access::read, Fork::keeps, what);
    if (!mapping) {
      return tl::unexpected(mapping.error());
    }
    mappings_[size_class] = std::move(*mapping);
  }
  known_[sample.chunk.shelf()] = {.base = mappings_[size_class].data(), .bound = size + 1};
  return mappings_[size_class].data() + offset;
}

}  // namespace weir::shm
