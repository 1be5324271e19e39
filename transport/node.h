// The way into weir: opens publishers and subscribers by URI.
//
//   auto node = weir::Node::open();
//   auto publisher = node->publisher("shm://camera/front");
//   auto subscriber = node->subscriber("shm://camera/front", {.policy = weir::SlowPolicy::lossless});
//
// The scheme of the URI chooses the backend among those that are linked in or were given to open(). A Node may be
// destroyed before the publishers, subscribers, loans and samples that it made. Thread-safe.
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "transport/backend.h"
#include "transport/capabilities.h"
#include "transport/membership.h"
#include "transport/publisher.h"
#include "transport/qos.h"
#include "transport/status.h"
#include "transport/subscriber.h"

namespace weir {

class Node {
 public:
  // `backends` are asked before those linked in, so that a scheme can be served by a backend of the caller's own.
  [[nodiscard]] static Result<Node> open(std::vector<std::shared_ptr<spi::Backend>> backends = {});

  // Joins a topic as publisher or subscriber. Errors, also of the calls below: closed for a node that was moved from;
  // those of Endpoint::parse and resolve; not_found for a scheme that no backend serves (the message lists those there
  // are); unsupported for what the backend does not promise;
  // incompatible for a peer that does not fit, naming both; whatever the backend meets: permission_denied,
  // resource_exhausted, name_taken, corrupt, unavailable.
  [[nodiscard]] Result<Publisher> publisher(std::string_view uri, const PublisherOptions& options = {});
  [[nodiscard]] Result<Subscriber> subscriber(std::string_view uri, const SubscriberOptions& options = {});

  // What the backend of this URI promises. The topic may be left out.
  [[nodiscard]] Result<Capabilities> capabilities(std::string_view uri) const;

  // The topics of a backend, with their peers: topics("shm://").
  [[nodiscard]] Result<std::vector<TopicDescription>> topics(std::string_view backend_uri);

  // Erases a topic and its history. Errors: not_found; name_taken if somebody uses it; unsupported.
  [[nodiscard]] Status remove(std::string_view uri);

  // The schemes that this node serves, sorted; none after it was moved from.
  [[nodiscard]] std::vector<std::string_view> schemes() const;

 private:
  using Backends = std::vector<std::shared_ptr<spi::Backend>>;
  explicit Node(Backends backends) : backends_(std::make_shared<const Backends>(std::move(backends))) {}
  [[nodiscard]] Result<spi::Backend*> backend_of(const Endpoint& endpoint) const;

  std::shared_ptr<const Backends> backends_;  // null after a move
};

}  // namespace weir
