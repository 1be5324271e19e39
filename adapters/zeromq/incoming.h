// A sample: the frames that ZeroMQ delivered, and what had to be put together of them.
//
// One frame, or a topic and a payload, stay in the memory that libzmq received them in. Copied are only messages of
// other numbers of frames (into a table, see frames.h), and payloads that are not aligned as the option `alignment`
// says.
#pragma once

#include <atomic>
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
  // A sample of at most this size, in libzmq's memory alone, is light: libzmq receives into buffers of this size, and a
  // small message keeps its whole buffer anyway.
  static constexpr std::size_t largest_light = 8192;

  Incoming() = default;
  Incoming(const Incoming&) = delete;
  Incoming& operator=(const Incoming&) = delete;

  // Where a frame is received; the only one of most messages. Frees what is still in it.
  [[nodiscard]] zmq_msg_t* frame() noexcept { return payload_.handle(); }

  // The sample's memory once frame() is the whole message. False if memory is short.
  [[nodiscard]] bool show_payload(std::size_t alignment, spi::SampleRecord& record);
  // The same for a message of these frames, which are taken over.
  [[nodiscard]] bool show_frames(std::span<zmq::message_t> all, Frames frames, std::size_t alignment,
                                 spi::SampleRecord& record);
  [[nodiscard]] std::size_t size() const noexcept { return payload_.size(); }

  // In nobody's hand: a message can be received here.
  [[nodiscard]] bool is_free() const noexcept { return !in_hand_.load(std::memory_order_acquire); }
  // The sample is shown to its user from here on.
  void hand_out() noexcept { in_hand_.store(true, std::memory_order_relaxed); }
  // The sample is no longer needed. Any thread. What is light stays until the next message is received here: libzmq
  // frees it then, in fewer instructions than by itself.
  void release() noexcept {
    if (is_heavy_) [[unlikely]] {
      return clear_and_release();
    }
    in_hand_.store(false, std::memory_order_release);
  }
  // Frees all.
  void clear() noexcept;

 private:
  struct Free {
    void operator()(std::byte* memory) const noexcept { std::free(memory); }
  };
  using Memory = std::unique_ptr<std::byte, Free>;

  void clear_and_release() noexcept;
  [[nodiscard]] bool align(std::size_t alignment, spi::SampleRecord& record);
  [[nodiscard]] bool show_table(std::span<zmq::message_t> all, std::size_t alignment, spi::SampleRecord& record);

  zmq::message_t payload_;
  std::atomic<bool> in_hand_{false};
  bool is_heavy_ = false;  // more than largest_light, or more than payload_
  zmq::message_t header_;
  std::vector<std::byte> table_;
  Memory copy_;
};

}  // namespace weir::zeromq
