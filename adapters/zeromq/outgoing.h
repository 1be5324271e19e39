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
  // Messages above this size are lent from a Block.
  static constexpr std::size_t largest_plain = 65'535;
  // What libzmq aligns its own memory to.
  static constexpr std::size_t natural_alignment = 8;

  using Messages = std::vector<zmq::message_t>;

  Outgoing() = default;
  Outgoing(const Outgoing&) = delete;
  Outgoing& operator=(const Outgoing&) = delete;
  ~Outgoing() { drop(); }

  // ---- The common case by itself, in few instructions: one frame of libzmq's memory ----

  // Makes room for `size` bytes in a free loan. False if memory is short: forget() must follow.
  [[nodiscard]] bool lend_plain(std::size_t size, spi::LoanRecord& record) noexcept {
    plain_size_ = size;
    record.size = size;
    record.header = nullptr;
    record.header_size = 0;
    if (zmq_msg_init_size(payload_.handle(), size) != 0) [[unlikely]] {
      return false;
    }
    record.payload = static_cast<std::byte*>(zmq_msg_data(payload_.handle()));
    return true;
  }

  void forget() noexcept;
  // Whether it is plain, and `size` is all that was lent.
  [[nodiscard]] bool is_plain(std::size_t size) const noexcept { return size == plain_size_; }
  [[nodiscard]] std::size_t plain_size() const noexcept { return plain_size_; }
  // Sends a plain loan, which is free then. False: see zmq_errno().
  [[nodiscard]] bool send_plain(void* socket) noexcept {
    if (zmq_msg_send(payload_.handle(), socket, ZMQ_DONTWAIT) < 0) [[unlikely]] {
      return false;
    }
    plain_size_ = free;
    return true;
  }

  // ---- All cases ----

  // Makes room in a free loan. False if memory is short: it is free then.
  [[nodiscard]] bool lend(const spi::LoanRequest& request, const std::shared_ptr<Budget>& budget,
                          spi::LoanRecord& record) noexcept;

  // Sends the frames of a message, with a trailing one if `trailer` is given. Errno: 0, EAGAIN if a subscriber has no
  // room, EPROTO for a table that does not fit the payload, or what libzmq says. `scratch` is empty before and after.
  [[nodiscard]] int send(void* socket, const spi::LoanRecord& record, Frames frames, zmq::message_t* trailer,
                         Messages& scratch);

  // Gives the memory back, if it was not sent: the loan is free.
  void drop() noexcept;

  // Bytes of payload that are lent from libzmq's memory; none once they are sent.
  [[nodiscard]] std::size_t lent_of_libzmq() const noexcept { return payload_.size(); }

  // Neither lent nor still to be sent.
  [[nodiscard]] bool is_free() const noexcept { return plain_size_ == free; }

 private:
  // Of plain_size_, when it is none.
  static constexpr std::size_t free = ~std::size_t{0};
  static constexpr std::size_t not_plain = free - 1;

  // Collects the frames of a message; false for a table that does not fit. Throws zmq::error_t or std::bad_alloc for
  // want of memory.
  [[nodiscard]] bool collect(const spi::LoanRecord& record, Frames frames, Messages& all);
  // A part of the payload as a message of its own: shared where libzmq can, else copied.
  [[nodiscard]] zmq::message_t part(const spi::LoanRecord& record, std::size_t at, std::size_t size);
  zmq::message_t payload_;         // small messages are in here
  std::size_t plain_size_ = free;  // of a loan that is payload_ and nothing else
  zmq::message_t header_;
  Block* block_ = nullptr;  // large and specially aligned payloads
};

}  // namespace weir::zeromq
