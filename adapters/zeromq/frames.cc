#include "adapters/zeromq/frames.h"

#include <cstring>
#include <numeric>

namespace weir::zeromq {

std::vector<std::uint64_t> read_frame_table(std::span<const std::byte> header) {
  const std::size_t mark = sizeof(frame_table_mark);
  if (header.size() <= mark || (header.size() - mark) % sizeof(std::uint64_t) != 0 ||
      std::memcmp(header.data(), frame_table_mark.data(), mark) != 0) {
    return {};
  }
  std::vector<std::uint64_t> sizes((header.size() - mark) / sizeof(std::uint64_t));
  std::memcpy(sizes.data(), header.data() + mark, header.size() - mark);
  return sizes;
}

void write_frame_table(std::span<std::byte> table, std::span<const std::uint64_t> sizes) noexcept {
  std::memcpy(table.data(), frame_table_mark.data(), sizeof(frame_table_mark));
  if (!sizes.empty()) std::memcpy(table.data() + sizeof(frame_table_mark), sizes.data(), sizes.size_bytes());
}

std::vector<std::byte> make_frame_table(std::span<const std::uint64_t> sizes) {
  std::vector<std::byte> table(frame_table_size(sizes.size()));
  write_frame_table(table, sizes);
  return table;
}

std::vector<std::span<const std::byte>> frames_of(std::span<const std::byte> header,
                                                  std::span<const std::byte> payload) {
  std::vector<std::span<const std::byte>> frames;
  std::size_t at = 0;
  for (const std::uint64_t size : read_frame_table(header)) {
    if (size > payload.size() - at) return {header, payload};  // begins like a table, but is none
    frames.push_back(payload.subspan(at, size));
    at += size;
  }
  if (frames.empty()) {
    if (!header.empty()) frames.push_back(header);
    frames.push_back(payload);
  }
  return frames;
}

}  // namespace weir::zeromq
