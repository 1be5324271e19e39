// How the frames of a ZeroMQ message lie in one message of weir.
//
// One frame is the payload, so that a small one travels in the ring's slot. Two frames, of which the first is not
// empty, are user header and payload. All others are the payload, one after the other, with a table of their sizes as
// the user header. This is what adapters/zeromq writes and reads too (its frames.h), so that a weir program sees the
// same over shm:// as over zmq+tcp://.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "adapters/zeromq/frames.h"
#include "transport/backend.h"

namespace weir::zmq_plugin {

using Frame = std::span<const std::byte>;

// What to lend for these frames, and how to fill it. Errors: none; fits() tells.
class FrameWriter {
 public:
  explicit FrameWriter(std::span<const Frame> frames) noexcept;

  // False: more frames than a table holds.
  [[nodiscard]] bool fits() const noexcept { return request_.header_size <= spi::max_header_size; }
  [[nodiscard]] const spi::LoanRequest& request() const noexcept { return request_; }
  void fill(spi::LoanRecord& loan) const noexcept;

 private:
  std::span<const Frame> frames_;
  bool has_table_;
  spi::LoanRequest request_{.size = 0, .header_size = 0, .alignment = 8};
};

// The frames of a sample, one after the other, as views of it.
class FrameReader {
 public:
  FrameReader() = default;
  explicit FrameReader(const spi::SampleRecord& sample) noexcept
      : header_(sample.header, sample.header_size), payload_(sample.payload, sample.size) {
    if (sample.header_size != 0) [[unlikely]] {
      begin_with_header();
    }
  }

  // What a subscription is compared with.
  [[nodiscard]] Frame first() const noexcept { return frame(0); }
  [[nodiscard]] bool done() const noexcept { return at_ == count_; }
  // Whether more follow after the next one.
  [[nodiscard]] bool more() const noexcept { return at_ + 1 < count_; }
  // The next one; and goes on behind it.
  [[nodiscard]] Frame front() const noexcept { return frame(at_); }
  void pass(Frame front) noexcept;
  // Whether one is larger than this.
  [[nodiscard]] bool exceeds(std::size_t size) const noexcept;

 private:
  void begin_with_header() noexcept;
  [[nodiscard]] std::uint64_t size_in_table(std::size_t index) const noexcept {
    std::uint64_t size = 0;
    std::memcpy(&size, header_.data() + zeromq::frame_table_size(index), sizeof(size));
    return size;
  }
  [[nodiscard]] Frame frame(std::size_t index) const noexcept;

  Frame header_;
  Frame payload_;
  bool has_table_ = false;
  std::size_t count_ = 1;
  std::size_t at_ = 0;
  std::size_t offset_ = 0;  // of frame at_ in the payload, with a table
};

}  // namespace weir::zmq_plugin
