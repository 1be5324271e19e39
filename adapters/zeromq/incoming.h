// A sample: the frames that ZeroMQ delivered, and what had to be put together of them.
//
// One frame, or a topic and a payload, stay in the memory that libzmq received them in. Copied are only messages of
// other numbers of frames (into a table, see frames.h), and payloads that are not aligned as the option `alignment`
// says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

#include <zmq.hpp>

#include "adapters/zeromq/options.h"
#include "transport/backend.h"

namespace weir::zeromq {

class Incoming {
 public:
  Incoming() = default;
  Incoming(const Incoming&) = delete;
  Incoming& operator=(const Incoming&) = delete;

  // Where a frame is received; the only one of most messages.
  [[nodiscard]] zmq::message_t& payload() noexcept { return payload_; }

  // The sample's memory once payload() is the whole message. False if memory is short.
  [[nodiscard]] bool show_payload(std::size_t alignment, spi::SampleRecord& record) {
    auto* data = payload_.data<std::byte>();
    const std::size_t size = payload_.size();
    record.header = nullptr;
    record.header_size = 0;
    record.payload = data;
    record.size = size;
    return (reinterpret_cast<std::uintptr_t>(data) & (alignment - 1)) == 0 || align(alignment, record);
  }

  // The same for a message of these frames, which are taken over. False if memory is short.
  [[nodiscard]] bool show_frames(std::span<zmq::message_t> all, Frames frames, std::size_t alignment,
                                 spi::SampleRecord& record);

  // Frees all. Any thread.
  void clear() noexcept {
    payload_.rebuild();
    if (has_more_) clear_more();
  }

  Incoming* next = nullptr;  // in a list of unused ones

 private:
  struct Free {
    void operator()(std::byte* memory) const noexcept { std::free(memory); }
  };
  using Memory = std::unique_ptr<std::byte, Free>;

  [[nodiscard]] bool align(std::size_t alignment, spi::SampleRecord& record);
  [[nodiscard]] bool show_table(std::span<zmq::message_t> all, std::size_t alignment, spi::SampleRecord& record);
  void clear_more() noexcept;

  zmq::message_t payload_;
  zmq::message_t header_;
  std::vector<std::byte> table_;
  Memory copy_;
  bool has_more_ = false;  // than payload_
};

}  // namespace weir::zeromq
