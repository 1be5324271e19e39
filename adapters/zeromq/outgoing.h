// A loan as the frames of a ZeroMQ message.
//
// Small messages are lent from libzmq's own memory, so that a publish copies nothing; large and specially aligned ones
// from a Block, which a publish does not copy either. A publish that is refused leaves all as it was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <zmq.hpp>

#include "adapters/zeromq/block.h"
#include "adapters/zeromq/options.h"
#include "transport/backend.h"

namespace weir::zeromq {

class Outgoing {
 public:
  // From here on messages are lent from a Block.
  static constexpr std::size_t large = 65'536;
  // What libzmq aligns its own memory to.
  static constexpr std::size_t natural_alignment = 8;

  using Messages = std::vector<zmq::message_t>;

  Outgoing() = default;
  Outgoing(const Outgoing&) = delete;
  Outgoing& operator=(const Outgoing&) = delete;
  ~Outgoing() { drop(); }

  // Makes room. False if memory is short. The loan before must have been sent or dropped.
  [[nodiscard]] bool lend(const spi::LoanRequest& request, const std::shared_ptr<Budget>& budget,
                          spi::LoanRecord& record) noexcept {
    if (request.header_size == 0 && request.size < large && request.alignment <= natural_alignment) [[likely]] {
      if (zmq_msg_init_size(payload_.handle(), request.size) != 0) return renew();
      lent_ = request.size;
      record.payload = static_cast<std::byte*>(payload_.data());
      record.size = request.size;
      record.header = nullptr;
      record.header_size = 0;
      return true;
    }
    return lend_specially(request, budget, record);
  }

  // Sends a message of one frame. Errno: 0, EAGAIN if a subscriber has no room, or what libzmq says.
  [[nodiscard]] int send_payload(void* socket, const spi::LoanRecord& record, Messages& scratch) {
    if (record.size == lent_ && block_ == nullptr) [[likely]] {
      if (zmq_msg_send(payload_.handle(), socket, ZMQ_DONTWAIT) < 0) return zmq_errno();
      lent_ = 0;
      return 0;
    }
    return send_frames(socket, record, Frames::payload, nullptr, scratch);
  }

  // Sends a message of several frames, with a trailing one if `trailer` is given. Errno as above; EPROTO for a table
  // that does not fit the payload. `scratch` is empty before and after.
  [[nodiscard]] int send_frames(void* socket, const spi::LoanRecord& record, Frames frames, zmq::message_t* trailer,
                                Messages& scratch);

  // Gives the memory back, if it was not sent.
  void drop() noexcept {
    if (block_ != nullptr || lent_ != 0 || has_header_) clear();
  }

  // Bytes of payload that are lent from libzmq's memory.
  [[nodiscard]] std::size_t lent_of_libzmq() const noexcept { return block_ == nullptr ? lent_ : 0; }

 private:
  [[nodiscard]] bool lend_specially(const spi::LoanRequest& request, const std::shared_ptr<Budget>& budget,
                                    spi::LoanRecord& record) noexcept;
  // Collects the frames of a message; false for a table that does not fit. Throws zmq::error_t for want of memory.
  [[nodiscard]] bool collect(const spi::LoanRecord& record, Frames frames, Messages& all);
  // A part of the payload as a message of its own: shared where libzmq can, else copied.
  [[nodiscard]] zmq::message_t part(const spi::LoanRecord& record, std::size_t at, std::size_t size);
  void clear() noexcept;
  bool renew() noexcept;

  zmq::message_t payload_;  // small messages are in here
  zmq::message_t header_;
  Block* block_ = nullptr;  // large and specially aligned payloads
  std::size_t lent_ = 0;    // bytes of payload
  bool has_header_ = false;
};

}  // namespace weir::zeromq
