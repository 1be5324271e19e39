// The receiving end, on a SUB socket.
//
// Thread safety: see spi::Port.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <zmq.hpp>

#include "adapters/zeromq/connection.h"
#include "adapters/zeromq/incoming.h"
#include "adapters/zeromq/losses.h"
#include "adapters/zeromq/slots.h"
#include "transport/backend.h"

namespace weir::zeromq {

class Subscriber final : public spi::SubscriberPort {
 public:
  [[nodiscard]] static Result<std::unique_ptr<spi::SubscriberPort>> open(const Endpoint& endpoint,
                                                                         const SubscriberQos& qos);

  void close() noexcept override { connection_.close(); }
  [[nodiscard]] PeerId id() const noexcept override { return connection_.id(); }
  [[nodiscard]] const Capabilities& capabilities() const noexcept override { return connection_.capabilities(); }
  Result<Wake> wait(Deadline deadline, const std::stop_token& stop) override;
  Result<int> fd() override;
  Result<std::optional<MembershipEvent>> next_event() override;
  Result<std::vector<Peer>> peers() override;

  Result<bool> take(spi::SampleRecord& record) override;
  void release(spi::SampleRecord& record) noexcept override;

 private:
  Subscriber(Connection connection, const SubscriberQos& qos);

  // What take() does when the next sample is in hand; when it received nothing; and when it cannot simply show what
  // came.
  [[gnu::noinline]] Result<bool> take_elsewhere(spi::SampleRecord& record);
  [[gnu::noinline]] Result<bool> take_again(spi::SampleRecord& record);
  [[gnu::noinline]] Result<bool> take_slowly(spi::SampleRecord& record);
  [[nodiscard]] Result<bool> take_frames(Incoming& sample, spi::SampleRecord& record);
  // Receives the other frames of the message into frames_. Errno.
  [[nodiscard]] int receive_more(Incoming& sample);
  // The message is lost: nothing of it is left, here or in the socket.
  void drop_message(Incoming& sample) noexcept;
  [[nodiscard]] bool show(Incoming& sample, spi::SampleRecord& record);
  void read_trailer(spi::SampleRecord& record);

  // Whether there is something to take. Empties the mailbox.
  [[nodiscard]] bool has_something() noexcept;
  // Whether the descriptor for event loops, if there is one, is readable from here on.
  void show_readable(bool readable) noexcept;

  Connection connection_;
  void* const socket_;  // of connection_
  // Bits of a payload's address that leave it to take_slowly(): those that make it misaligned, or all of them while the
  // descriptor must be shown.
  std::uintptr_t slow_bits_;
  const SubscriberQos qos_;

  Slots<Incoming> samples_;
  std::vector<zmq::message_t> frames_;  // of the message that is being taken
  Losses losses_;
  int fault_ = 0;  // of the last has_something()
};

}  // namespace weir::zeromq
