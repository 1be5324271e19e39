#include "adapters/zeromq/outgoing.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <span>
#include <utility>

#include "adapters/zeromq/frames.h"

namespace weir::zeromq {

void Outgoing::forget() noexcept {
  zmq_msg_init(payload_.handle());  // not closed: libzmq left nothing that could be
  plain_size_ = free;
}

bool Outgoing::lend(const spi::LoanRequest& request, const std::shared_ptr<Budget>& budget,
                    spi::LoanRecord& record) noexcept {
  if (request.size <= largest_plain && request.alignment <= natural_alignment) {
    if (!lend_plain(request.size, record)) {
      forget();
      return false;
    }
  } else {
    block_ = Block::make(request.size, std::max(request.alignment, alignof(Block)), budget);
    if (block_ == nullptr) return false;
    plain_size_ = not_plain;
    record.payload = block_->payload();
    record.size = request.size;
    record.header = nullptr;
    record.header_size = 0;
  }
  if (request.header_size != 0) {
    plain_size_ = not_plain;
    if (zmq_msg_init_size(header_.handle(), request.header_size) != 0) {
      zmq_msg_init(header_.handle());
      drop();
      return false;
    }
    record.header = static_cast<std::byte*>(header_.data());
    record.header_size = request.header_size;
  }
  return true;
}

zmq::message_t Outgoing::part(const spi::LoanRecord& record, std::size_t at, std::size_t size) {
  if (block_ != nullptr) {
    Block* shared = block_->share();
    try {
      return {record.payload + at, size, Block::release_hint, shared};
    } catch (...) {
      shared->release();
      throw;
    }
  }
  if (at == 0 && size == payload_.size()) {
    zmq::message_t whole;
    whole.copy(payload_);  // shares the memory, or copies the few bytes that libzmq keeps in the message itself
    return whole;
  }
  return {record.payload + at, size};
}

bool Outgoing::collect(const spi::LoanRecord& record, Frames frames, Messages& all) {
  if (frames == Frames::table && record.header_size != 0) {
    const auto sizes = read_frame_table({record.header, record.header_size});
    std::size_t at = 0;
    for (const std::uint64_t size : sizes) {
      if (size > record.size - at) return false;
      all.push_back(part(record, at, size));
      at += size;
    }
    return !sizes.empty() && at == record.size;
  }
  if (frames == Frames::topic) {
    all.emplace_back().copy(header_);
  }
  all.push_back(part(record, 0, record.size));
  return true;
}

int Outgoing::send(void* socket, const spi::LoanRecord& record, Frames frames, zmq::message_t* trailer,
                   Messages& scratch) {
  if (frames == Frames::payload && trailer == nullptr && is_plain(record.size)) {
    return send_plain(socket) ? 0 : zmq_errno();
  }
  // Copies and shares are sent, so that the loan is whole whatever happens on the way.
  int fault = 0;
  try {
    fault = collect(record, frames, scratch) ? 0 : EPROTO;
    if (fault == 0 && trailer != nullptr) scratch.push_back(std::move(*trailer));
  } catch (const zmq::error_t& thrown) {
    fault = thrown.num();
  } catch (const std::bad_alloc&) {
    fault = ENOMEM;
  }
  // The first frame decides: libzmq refuses or takes a message as a whole.
  int flags = ZMQ_DONTWAIT;
  for (std::size_t at = 0; fault == 0 && at < scratch.size(); ++at) {
    const int more = at + 1 < scratch.size() ? ZMQ_SNDMORE : 0;
    while (fault == 0 && zmq_msg_send(scratch[at].handle(), socket, flags | more) < 0) {
      fault = zmq_errno() == EINTR && flags == 0 ? 0 : zmq_errno();
    }
    flags = 0;
  }
  if (fault == 0) drop();
  scratch.clear();
  return fault;
}

void Outgoing::drop() noexcept {
  if (block_ != nullptr) std::exchange(block_, nullptr)->release();
  payload_.rebuild();
  header_.rebuild();
  plain_size_ = free;
}

}  // namespace weir::zeromq
