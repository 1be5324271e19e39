// inproc://topic connects threads of one process. Deliberately naive and obviously right: one mutex, condition
// variables and deques, every message shared by reference count. It is the oracle by which the conformance suite judges
// itself and other backends; it is no slower than it looks, and no faster.
//
//   auto publisher = node.publisher("inproc://frames?history=4");
//   auto subscriber = other_node.subscriber("inproc://frames?history=2");   // any Node of the process
//
// Thread-safe.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "transport/backend.h"

namespace weir::inproc {

class InprocBackend final : public spi::Backend {
 public:
  [[nodiscard]] std::span<const std::string_view> schemes() const noexcept override;
  [[nodiscard]] Capabilities capabilities(const Endpoint& endpoint) const noexcept override;
  Result<std::unique_ptr<spi::PublisherPort>> publisher(const Endpoint& endpoint, const PublisherQos& qos) override;
  Result<std::unique_ptr<spi::SubscriberPort>> subscriber(const Endpoint& endpoint, const SubscriberQos& qos) override;
  Result<std::vector<TopicDescription>> topics(const Endpoint& backend) override;
};

}  // namespace weir::inproc
