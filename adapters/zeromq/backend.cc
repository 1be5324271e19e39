#include "adapters/zeromq/backend.h"

#include <array>

#include "adapters/zeromq/options.h"
#include "adapters/zeromq/promises.h"
#include "adapters/zeromq/publisher.h"
#include "adapters/zeromq/subscriber.h"

namespace weir::zeromq {

std::span<const std::string_view> ZeromqBackend::schemes() const noexcept {
  static constexpr std::array<std::string_view, 3> served{"zmq+ipc", "zmq+tcp", "zmq+inproc"};
  return served;
}

std::span<const std::string_view> ZeromqBackend::option_keys() const noexcept { return zeromq::option_keys(); }

Capabilities ZeromqBackend::capabilities(const Endpoint& endpoint) const noexcept {
  const std::string_view frames = option_in_uri(endpoint, "frames");
  return promises(endpoint.scheme != "zmq+inproc", option_in_uri(endpoint, "envelope") == "1",
                  !option_in_uri(endpoint, "filter").empty(),
                  frames == "topic" ? Frames::topic : (frames == "table" ? Frames::table : Frames::payload));
}

Result<std::unique_ptr<spi::PublisherPort>> ZeromqBackend::publisher(const Endpoint& endpoint,
                                                                     const PublisherQos& qos) {
  return Publisher::open(endpoint, qos);
}

Result<std::unique_ptr<spi::SubscriberPort>> ZeromqBackend::subscriber(const Endpoint& endpoint,
                                                                       const SubscriberQos& qos) {
  return Subscriber::open(endpoint, qos);
}

}  // namespace weir::zeromq
