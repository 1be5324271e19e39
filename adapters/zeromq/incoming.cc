#include "adapters/zeromq/incoming.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "adapters/zeromq/frames.h"

namespace weir::zeromq {
namespace {

std::byte* allocate(std::size_t size, std::size_t alignment) {
  alignment = std::max(alignment, alignof(std::max_align_t));
  const std::size_t rounded = std::max(size + alignment - 1, alignment) / alignment * alignment;
  return rounded < size ? nullptr : static_cast<std::byte*>(std::aligned_alloc(alignment, rounded));
}

}  // namespace

bool Incoming::show_payload(std::size_t alignment, spi::SampleRecord& record) {
  record.payload = payload_.data<std::byte>();
  record.size = payload_.size();
  record.header = nullptr;
  record.header_size = 0;
  if (record.size > largest_light) is_heavy_ = true;
  return (reinterpret_cast<std::uintptr_t>(record.payload) & (alignment - 1)) == 0 || align(alignment, record);
}

bool Incoming::align(std::size_t alignment, spi::SampleRecord& record) {
  copy_.reset(allocate(record.size, alignment));
  if (!copy_) return false;
  is_heavy_ = true;
  if (record.size != 0) std::memcpy(copy_.get(), record.payload, record.size);
  record.payload = copy_.get();
  return true;
}

bool Incoming::show_frames(std::span<zmq::message_t> all, Frames frames, std::size_t alignment,
                           spi::SampleRecord& record) {
  if (all.size() == 1) {
    payload_ = std::move(all[0]);
    return show_payload(alignment, record);
  }
  if (all.size() != 2 || frames != Frames::topic || all[0].size() > spi::max_header_size) {
    return show_table(all, alignment, record);
  }
  is_heavy_ = true;
  header_ = std::move(all[0]);
  payload_ = std::move(all[1]);
  const bool shown = show_payload(alignment, record);
  record.header = header_.data<std::byte>();
  record.header_size = header_.size();
  return shown;
}

bool Incoming::show_table(std::span<zmq::message_t> all, std::size_t alignment, spi::SampleRecord& record) {
  std::vector<std::uint64_t> sizes;
  sizes.reserve(all.size());
  for (const zmq::message_t& frame : all) sizes.push_back(frame.size());
  const std::uint64_t size = std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{0});
  copy_.reset(allocate(size, alignment));
  if (!copy_) return false;
  is_heavy_ = true;
  std::byte* to = copy_.get();
  for (const zmq::message_t& frame : all) {
    if (!frame.empty()) std::memcpy(to, frame.data(), frame.size());
    to += frame.size();
  }
  table_ = make_frame_table(sizes);
  record.payload = copy_.get();
  record.size = size;
  record.header = table_.data();
  record.header_size = table_.size();
  return true;
}

void Incoming::clear_and_release() noexcept {
  clear();
  in_hand_.store(false, std::memory_order_release);
}

void Incoming::clear() noexcept {
  payload_.rebuild();
  header_.rebuild();
  table_.clear();
  copy_.reset();
  is_heavy_ = false;
}

}  // namespace weir::zeromq
