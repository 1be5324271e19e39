// Joining a topic over weir's shared memory, without the handles of its interface: this library stands in their place.
#pragma once

#include <memory>

#include "transport/backend.h"
#include "transport/endpoint.h"
#include "transport/shm/lock.h"
#include "transport/shm/topic_directory.h"
#include "transport/status.h"

namespace weir::zmq_plugin {

// Both are of shm::PublisherPort and shm::SubscriberPort. Thread-safe.
[[nodiscard]] Result<std::unique_ptr<spi::PublisherPort>> join_as_publisher(const Endpoint& topic,
                                                                            const PublisherQos& qos);
[[nodiscard]] Result<std::unique_ptr<spi::SubscriberPort>> join_as_subscriber(const Endpoint& topic,
                                                                              const SubscriberQos& qos);

// A topic that this process has bound: it is there, and nobody else can bind it as long as this lives, and no longer.
class Binding {
 public:
  // Errors: those of joining a topic; name_taken.
  [[nodiscard]] static Result<Binding> make(const Endpoint& topic);

 private:
  std::unique_ptr<shm::TopicDirectory> topic_;
  shm::Lock lock_;
};

// The errno that libzmq uses for the like.
[[nodiscard]] int error_number(const Error& error) noexcept;

}  // namespace weir::zmq_plugin
