#include "tools/weir/recording_frame.h"

#include <sys/uio.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <string_view>
#include <utility>

namespace weir::tool {
namespace {

static_assert(std::endian::native == std::endian::little, "the numbers of a recording are little-endian");

uLong add(uLong check, std::span<const std::byte> bytes) {
  return crc32_z(check, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
}

// So much of a file is read at a time as long as nothing is known to be of use.
constexpr std::uint64_t part_size = 1U << 20U;

constexpr std::array kinds{FrameKind::source, FrameKind::message, FrameKind::index};

bool is_known(FrameKind kind) { return std::find(kinds.begin(), kinds.end(), kind) != kinds.end(); }

}  // namespace

FrameHead frame_head(FrameKind kind, Parts parts) {
  FrameHead head{.kind = kind, .check = 0, .size = 0};
  for (const std::span<const std::byte> part : parts) head.size += part.size();
  uLong check = add(crc32_z(0, nullptr, 0), bytes_of(head));
  for (const std::span<const std::byte> part : parts) {
    if (!part.empty()) check = add(check, part);  // an empty part may be a null pointer, which would start anew
  }
  head.check = static_cast<std::uint32_t>(check);
  return head;
}

bool read_all(const shm::File& file, std::uint64_t offset, std::span<std::byte> into) {
  while (!into.empty()) {
    const ssize_t got = pread(file.get(), into.data(), into.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    offset += static_cast<std::uint64_t>(got);
    into = into.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

Frame read_frame(const shm::File& file, std::uint64_t offset, std::vector<std::byte>& content) {
  const std::uint64_t size = shm::size_of(file);
  if (offset >= size) return {.state = Frame::State::none};
  FrameHead head{};
  if (size - offset < sizeof(head)) return {.state = Frame::State::cut_short};
  if (!read_all(file, offset, std::as_writable_bytes(std::span(&head, 1))) || !is_known(head.kind)) {
    return {.state = Frame::State::damaged};
  }
  if (head.size > size - offset - sizeof(head)) return {.state = Frame::State::cut_short};
  Frame frame{.state = Frame::State::damaged, .kind = head.kind, .end = offset + sizeof(head) + head.size};
  const std::uint32_t expected = std::exchange(head.check, 0);
  uLong check = add(crc32_z(0, nullptr, 0), bytes_of(head));
  const std::uint64_t most = std::max<std::uint64_t>(part_size, content.capacity());
  for (std::uint64_t left = head.size; left > 0; left -= content.size()) {
    content.resize(std::min(left, most));
    if (!read_all(file, frame.end - left, content)) return frame;
    check = add(check, content);
  }
  if (check != expected) return frame;
  // Memory for all of it is taken only now: a size that was damaged may claim the rest of the file.
  content.resize(head.size);
  if (head.size <= most || read_all(file, frame.end - head.size, content)) frame.state = Frame::State::whole;
  return frame;
}

bool holds_a_frame(const shm::File& file, std::uint64_t offset) {
  const std::uint64_t size = shm::size_of(file);
  const std::uint64_t most_checked = size + (256ULL << 20U);  // about as long as reading the file takes
  std::uint64_t checked = 0;
  std::vector<char> part;
  std::vector<std::byte> content;
  while (offset + sizeof(FrameHead) <= size) {
    part.resize(std::min(part_size, size - offset));
    if (!read_all(file, offset, std::as_writable_bytes(std::span(part)))) return false;
    const std::string_view text(part.data(), part.size());
    for (const FrameKind& kind : kinds) {
      const std::string_view word(reinterpret_cast<const char*>(&kind), sizeof(kind));
      for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
        const Frame frame = read_frame(file, offset + at, content);
        if (frame.end != 0) checked += frame.end - (offset + at);
        if (frame.state == Frame::State::whole || checked > most_checked) return true;
      }
    }
    offset += part.size() - (sizeof(FrameKind) - 1);  // a kind may lie across
  }
  return false;
}

int write_all(const shm::File& file, std::uint64_t& at, Parts parts) {
  std::vector<iovec> pieces;
  for (const std::span<const std::byte> part : parts) {
    if (!part.empty()) pieces.push_back({const_cast<std::byte*>(part.data()), part.size()});
  }
  for (std::size_t first = 0; first < pieces.size();) {
    const ssize_t wrote =
        pwritev(file.get(), &pieces[first], static_cast<int>(pieces.size() - first), static_cast<off_t>(at));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return errno;
    at += static_cast<std::uint64_t>(wrote);
    auto left = static_cast<std::size_t>(wrote);
    for (; first < pieces.size() && left >= pieces[first].iov_len; ++first) left -= pieces[first].iov_len;
    if (left == 0) continue;
    pieces[first].iov_base = static_cast<std::byte*>(pieces[first].iov_base) + left;
    pieces[first].iov_len -= left;
  }
  return 0;
}

}  // namespace weir::tool
