// A subscriber on iceoryx: what UntypedSubscriber does, over the same port.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include <iceoryx_posh/internal/popo/ports/subscriber_port_user.hpp>

#include "adapters/iceoryx/attendant.h"
#include "adapters/iceoryx/bell.h"
#include "adapters/iceoryx/losses.h"
#include "adapters/iceoryx/runtime.h"
#include "adapters/iceoryx/spin_lock.h"
#include "transport/backend.h"

namespace weir::iceoryx {

class SubscriberPort final : public spi::SubscriberPort, private Attended {
 public:
  // Errors: those of Node::subscriber.
  [[nodiscard]] static Result<std::unique_ptr<spi::SubscriberPort>> join(std::shared_ptr<Runtime> runtime,
                                                                         const Endpoint& endpoint,
                                                                         const SubscriberQos& qos);
  SubscriberPort(const SubscriberPort&) = delete;
  SubscriberPort& operator=(const SubscriberPort&) = delete;
  ~SubscriberPort() override;

  Result<bool> take(spi::SampleRecord& record) override;
  void release(spi::SampleRecord& record) noexcept override;

  void close() noexcept override;
  [[nodiscard]] PeerId id() const noexcept override { return id_; }
  [[nodiscard]] const Capabilities& capabilities() const noexcept override;
  Result<Wake> wait(Deadline deadline, const std::stop_token& stop) override;
  Result<int> fd() override;
  Result<std::optional<MembershipEvent>> next_event() override;
  Result<std::vector<Peer>> peers() override;

 private:
  using Data = iox::popo::SubscriberPortData;
  using Header = iox::mepoo::ChunkHeader;

  SubscriberPort(std::shared_ptr<Runtime> runtime, std::string topic, Data& data, const SubscriberQos& qos);

  void look() noexcept override;
  // Null while the port is RouDi's and ours.
  [[nodiscard]] const Error* lost() noexcept;
  [[nodiscard]] bool struck_off() const noexcept {
    return !data_.m_subscribeRequested.load(std::memory_order_relaxed) ||
           static_cast<std::uint64_t>(data_.m_uniqueId) != id_;
  }

  // Takes the history of the publishers that are there already, and so learns where their streams begin.
  void meet_publishers();
  [[nodiscard]] bool has_samples() const noexcept;
  // The next chunk, in hand; null if there is none.
  const Header* next_chunk() noexcept;
  // The rest of take() when there is nothing.
  Result<bool> nothing_taken();
  // From now on the attendant is told of samples.
  Status attach();

  const std::shared_ptr<Runtime> runtime_;
  const std::string topic_;
  const SubscriberQos qos_;
  Data& data_;
  iox::popo::SubscriberPortUser port_;
  const PeerId id_;
  Losses losses_;

  SpinLock chunks_lock_;    // the list of chunks in hand is iceoryx's and knows no threads; samples are released on any
  std::uint64_t held_ = 0;  // guarded by it
  bool closed_ = false;     // guarded by it

  std::deque<const Header*> met_;     // taken at the join, in hand already, not yet given out
  std::atomic<bool> has_met_{false};  // whether there are any
  bool attended_ = false;
  Bell bell_;
};

}  // namespace weir::iceoryx
