#include "transport/inproc/backend.h"

#include <array>
#include <mutex>

#include "transport/inproc/domain.h"
#include "transport/inproc/publisher.h"
#include "transport/inproc/subscriber.h"

namespace weir::inproc {

std::span<const std::string_view> InprocBackend::schemes() const noexcept {
  static constexpr std::array<std::string_view, 1> served{"inproc"};
  return served;
}

Capabilities InprocBackend::capabilities(const Endpoint& /*endpoint*/) const noexcept { return promised; }

Result<std::unique_ptr<spi::PublisherPort>> InprocBackend::publisher(const Endpoint& endpoint,
                                                                     const PublisherQos& qos) {
  return Publisher::join(endpoint.topic, qos);
}

Result<std::unique_ptr<spi::SubscriberPort>> InprocBackend::subscriber(const Endpoint& endpoint,
                                                                       const SubscriberQos& qos) {
  return Subscriber::join(endpoint.topic, qos);
}

Result<std::vector<TopicDescription>> InprocBackend::topics(const Endpoint& /*backend*/) {
  Domain& domain = Domain::of_this_process();
  const std::lock_guard lock(domain.mutex);
  std::vector<TopicDescription> all;
  for (const auto& [name, topic] : domain.topics) {
    TopicDescription& description = all.emplace_back(TopicDescription{.topic = name, .peers = {}});
    for (const auto& [id, peer] : topic.peers) {
      description.peers.push_back(peer);
    }
  }
  return all;
}

}  // namespace weir::inproc
