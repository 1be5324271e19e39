// The receiving end, on a SUB socket.
//
// Thread safety: see spi::Port.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include <zmq.hpp>

#include "adapters/zeromq/attachment.h"
#include "adapters/zeromq/context.h"
#include "adapters/zeromq/envelope.h"
#include "adapters/zeromq/incoming.h"
#include "adapters/zeromq/losses.h"
#include "adapters/zeromq/options.h"
#include "adapters/zeromq/waiter.h"
#include "transport/backend.h"

namespace weir::zeromq {

class Subscriber final : public spi::SubscriberPort {
 public:
  [[nodiscard]] static Result<std::unique_ptr<spi::SubscriberPort>> open(const Endpoint& endpoint,
                                                                         const SubscriberQos& qos);
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;
  ~Subscriber() override { close(); }

  void close() noexcept override;
  [[nodiscard]] PeerId id() const noexcept override { return id_; }
  [[nodiscard]] const Capabilities& capabilities() const noexcept override { return capabilities_; }
  Result<Wake> wait(Deadline deadline, const std::stop_token& stop) override;
  Result<int> fd() override;
  Result<std::optional<MembershipEvent>> next_event() override;
  Result<std::vector<Peer>> peers() override;

  Result<bool> take(spi::SampleRecord& record) override;
  void release(spi::SampleRecord& record) noexcept override;

 private:
  Subscriber(const Capabilities& capabilities, Options options, const SubscriberQos& qos, Socket socket, int mailbox);

  [[nodiscard]] Incoming* get_unused();
  void give_back(Incoming* unused) noexcept {
    unused->next = unused_;
    unused_ = unused;
  }
  // What take() does when it cannot simply return a frame.
  [[nodiscard]] Result<bool> take_nothing(Incoming* unused);
  [[nodiscard]] Result<bool> take_frames(Incoming* sample, spi::SampleRecord& record);
  [[nodiscard]] Result<bool> out_of_memory(Incoming* sample);
  [[nodiscard]] Result<bool> at_the_limit();
  void read_trailer(spi::SampleRecord& record);

  // Whether there is something to take. Empties the mailbox.
  [[nodiscard]] bool has_something() noexcept;
  [[nodiscard]] Error fault_error(std::string_view what, int fault) const;

  const Capabilities capabilities_;
  const Options options_;
  const SubscriberQos qos_;
  const PeerId id_ = make_peer_id();
  Socket socket_;
  zmq::socket_ref native_;
  Waiter waiter_;
  Attachment attachment_;

  std::deque<Incoming> samples_;              // all there ever were
  Incoming* unused_ = nullptr;                // of them, the owner's
  std::atomic<Incoming*> released_{nullptr};  // of them, given back by any thread
  std::vector<zmq::message_t> frames_;        // of the message that is being taken
  Losses losses_;
  int fault_ = 0;  // of the last has_something()
};

}  // namespace weir::zeromq
