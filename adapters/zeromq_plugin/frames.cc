#include "adapters/zeromq_plugin/frames.h"

#include <algorithm>

namespace weir::zmq_plugin {
namespace {

constexpr std::size_t mark_size = sizeof(zeromq::frame_table_mark);

bool begins_with_mark(Frame header) noexcept {
  return header.size() >= mark_size && std::memcmp(header.data(), zeromq::frame_table_mark.data(), mark_size) == 0;
}

void copy(std::byte* to, Frame frame) noexcept {
  if (!frame.empty()) std::memcpy(to, frame.data(), frame.size());
}

bool needs_table(std::span<const Frame> frames) noexcept {
  if (frames.size() != 2) return frames.size() > 2;
  const Frame first = frames[0];
  return first.empty() || first.size() > spi::max_header_size || begins_with_mark(first);
}

}  // namespace

FrameWriter::FrameWriter(std::span<const Frame> frames) noexcept : frames_(frames), has_table_(needs_table(frames)) {
  if (frames.size() == 1) {
    request_.size = frames[0].size();
  } else if (!has_table_) {
    request_.header_size = frames[0].size();
    request_.size = frames[1].size();
  } else {
    request_.header_size = zeromq::frame_table_size(frames.size());
    for (const Frame frame : frames) request_.size += frame.size();
  }
}

void FrameWriter::fill(spi::LoanRecord& loan) const noexcept {
  if (!has_table_) {
    if (frames_.size() == 2) copy(loan.header, frames_[0]);
    copy(loan.payload, frames_.back());
    return;
  }
  std::memcpy(loan.header, zeromq::frame_table_mark.data(), mark_size);
  std::byte* place = loan.header + mark_size;
  std::byte* to = loan.payload;
  for (const Frame frame : frames_) {
    const std::uint64_t size = frame.size();
    std::memcpy(place, &size, sizeof(size));
    place += sizeof(size);
    copy(to, frame);
    to += size;
  }
}

// A header that begins like a table but is none is a first frame.
void FrameReader::begin_with_header() noexcept {
  count_ = 2;
  if (!begins_with_mark(header_) || header_.size() == mark_size || header_.size() % sizeof(std::uint64_t) != 0) {
    return;
  }
  const std::size_t count = (header_.size() - mark_size) / sizeof(std::uint64_t);
  std::size_t room = payload_.size();
  for (std::size_t index = 0; index < count; ++index) {
    const std::uint64_t size = size_in_table(index);
    if (size > room) return;
    room -= size;
  }
  has_table_ = true;
  count_ = count;
}

Frame FrameReader::frame(std::size_t index) const noexcept {
  if (has_table_) {
    const std::size_t offset = index == 0 ? 0 : std::min(offset_, payload_.size());
    // The table lies in memory that its publisher may still write to: what was checked is not trusted twice.
    return payload_.subspan(offset, std::min(size_in_table(index), payload_.size() - offset));
  }
  return count_ == 2 && index == 0 ? header_ : payload_;
}

void FrameReader::pass(Frame front) noexcept {
  ++at_;
  offset_ += front.size();
}

bool FrameReader::exceeds(std::size_t size) const noexcept {
  if (!has_table_) return payload_.size() > size || header_.size() > size;
  for (std::size_t index = 0; index < count_; ++index) {
    if (size_in_table(index) > size) return true;
  }
  return false;
}

}  // namespace weir::zmq_plugin
