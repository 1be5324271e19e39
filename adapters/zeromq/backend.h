// zmq+ipc://, zmq+tcp:// and zmq+inproc://: publish and subscribe with existing ZeroMQ programs, and from machine to
// machine. docs/zeromq.md describes endpoints, options, frames and limits.
//
//   auto publisher = node.publisher("zmq+tcp://*:5555");
//   auto subscriber = other_node.subscriber("zmq+tcp://host:5555?depth=1000");   // or any ZeroMQ program
//
// Thread-safe.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "transport/backend.h"

namespace weir::zeromq {

class ZeromqBackend final : public spi::Backend {
 public:
  [[nodiscard]] std::span<const std::string_view> schemes() const noexcept override;
  [[nodiscard]] std::span<const std::string_view> option_keys() const noexcept override;
  [[nodiscard]] Capabilities capabilities(const Endpoint& endpoint) const noexcept override;
  Result<std::unique_ptr<spi::PublisherPort>> publisher(const Endpoint& endpoint, const PublisherQos& qos) override;
  Result<std::unique_ptr<spi::SubscriberPort>> subscriber(const Endpoint& endpoint, const SubscriberQos& qos) override;
};

}  // namespace weir::zeromq
