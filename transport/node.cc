#include "transport/node.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "transport/guard.h"
#include "transport/process.h"

namespace weir {
namespace {

std::vector<spi::BackendFactory>& linked_backends() {
  static std::vector<spi::BackendFactory> factories;
  return factories;
}

constinit spi::BackendFinder backend_finder = nullptr;  // set before main() begins

// Refuses what a backend does not promise.
class Refusals {
 public:
  Refusals(const Endpoint& endpoint, const Capabilities& capabilities)
      : endpoint_(endpoint), capabilities_(capabilities) {}

  void check(const PublisherQos& qos) {
    word("grant", qos.grant,
         {{Grant::drop, true},
          {Grant::block, capabilities_.lossless_block},
          {Grant::reject, capabilities_.lossless_reject}});
    above(qos.loans, capabilities_.max_loans, "loans");
    common(qos.durability, qos.history);
  }
  void check(const SubscriberQos& qos) {
    word("policy", qos.policy,
         {{SlowPolicy::drop_oldest, capabilities_.drop_oldest},
          {SlowPolicy::drop_newest, capabilities_.drop_newest},
          {SlowPolicy::lossless, capabilities_.lossless_block || capabilities_.lossless_reject}});
    above(qos.depth, capabilities_.max_depth, "depth");
    above(qos.held, capabilities_.max_held, "held");
    common(qos.durability, qos.history);
  }

  [[nodiscard]] const std::optional<Error>& refusal() const { return refusal_; }

 private:
  void common(Durability durability, std::uint64_t history) {
    word("durability", durability,
         {{Durability::transient, true}, {Durability::persistent, capabilities_.persistence}});
    above(history, capabilities_.max_history, "history");
  }

  // One of `all`, each with whether it is promised.
  template <class Value>
  void word(std::string_view key, Value value, std::initializer_list<std::pair<Value, bool>> all) {
    std::string instead;
    for (const auto& [other, promised] : all) {
      if (promised && other == value) return;
      if (promised) instead += fmt::format("{} or ", to_string(other));
    }
    refuse(fmt::format("{}={}: use {}another backend", key, to_string(value), instead));
  }
  void above(std::uint64_t value, std::uint64_t most, std::string_view key) {
    if (value > most) refuse(fmt::format("{}={}, at most {} is possible: lower that option", key, value, most));
  }
  void refuse(std::string_view what) {
    if (refusal_) return;
    refusal_.emplace(ErrorCode::unsupported, fmt::format("endpoint \"{}\": the backend {} does not support {}",
                                                         endpoint_.text(), endpoint_.scheme, what));
  }

  const Endpoint& endpoint_;
  const Capabilities& capabilities_;
  std::optional<Error> refusal_;
};

}  // namespace

namespace spi {

Registration::Registration(BackendFactory factory) { linked_backends().push_back(factory); }

void set_backend_finder(BackendFinder finder) noexcept { backend_finder = finder; }

Result<std::vector<TopicDescription>> Backend::topics(const Endpoint& backend) {
  return failure(ErrorCode::unsupported,
                 fmt::format("endpoint \"{}\": the backend {} cannot list topics: know their names, or use one with "
                             "Capabilities::lists_topics",
                             backend.text(), backend.scheme));
}

Status PublisherPort::wait_until_taken(std::uint64_t /*sequence*/, Deadline /*deadline*/,
                                       const std::stop_token& /*stop*/) {
  return failure(ErrorCode::unsupported, "this backend promises an acknowledgement and has none: tell its maker");
}

Result<std::vector<InHand>> SubscriberPort::in_hand_at_death() {
  return failure(ErrorCode::unsupported, "this backend promises an in_hand_list and has none: tell its maker");
}

Status Backend::remove(const Endpoint& endpoint) {
  return failure(ErrorCode::unsupported,
                 fmt::format("endpoint \"{}\": the backend {} keeps no topics to remove: leave this call out",
                             endpoint.text(), endpoint.scheme));
}

}  // namespace spi

Result<Node> Node::open(std::vector<std::shared_ptr<spi::Backend>> backends) {
  return spi::guarded([&]() -> Result<Node> {
    spi::adopt_process();
    for (const spi::BackendFactory make : linked_backends()) {
      backends.push_back(make());
    }
    return Node(std::move(backends));
  });
}

Result<spi::Backend*> Node::backend_of(const Endpoint& endpoint) const {
  if (backends_ == nullptr) return tl::unexpected(spi::unusable(nullptr));
  for (const auto& backend : *backends_) {
    const auto served = backend->schemes();
    if (std::find(served.begin(), served.end(), endpoint.scheme) != served.end()) {
      return backend.get();
    }
  }
  if (backend_finder != nullptr) {
    Result<spi::Backend*> found = backend_finder(endpoint);
    if (!found || *found != nullptr) return found;
  }
  return failure(ErrorCode::not_found, fmt::format("endpoint \"{}\": no backend serves {}://; there are: {}",
                                                   endpoint.text(), endpoint.scheme, fmt::join(schemes(), ", ")));
}

Result<Publisher> Node::publisher(std::string_view uri, const PublisherOptions& options) {
  return spi::guarded([&]() -> Result<Publisher> {
    const Result<Endpoint> endpoint = Endpoint::parse(uri);
    if (!endpoint) return tl::unexpected(endpoint.error());
    const Result<spi::Backend*> backend = backend_of(*endpoint);
    if (!backend) return tl::unexpected(backend.error());
    Result<PublisherQos> qos = resolve(*endpoint, options, (*backend)->option_keys());
    if (!qos) return tl::unexpected(qos.error());
    const Capabilities capabilities = (*backend)->capabilities(*endpoint);
    // A default is no request: it follows what the backend has.
    if (!options.loans && !endpoint->options.contains("loans"))
      qos->loans = std::min(qos->loans, capabilities.max_loans);
    Refusals refusals(*endpoint, capabilities);
    refusals.check(*qos);
    if (refusals.refusal()) return tl::unexpected(*refusals.refusal());
    auto port = (*backend)->publisher(*endpoint, *qos);
    if (!port) return tl::unexpected(port.error());
    (*port)->endpoint_text = endpoint->text();
    return Publisher(std::move(*port), std::move(*qos));
  });
}

Result<Subscriber> Node::subscriber(std::string_view uri, const SubscriberOptions& options) {
  return spi::guarded([&]() -> Result<Subscriber> {
    const Result<Endpoint> endpoint = Endpoint::parse(uri);
    if (!endpoint) return tl::unexpected(endpoint.error());
    const Result<spi::Backend*> backend = backend_of(*endpoint);
    if (!backend) return tl::unexpected(backend.error());
    Result<SubscriberQos> qos = resolve(*endpoint, options, (*backend)->option_keys());
    if (!qos) return tl::unexpected(qos.error());
    const Capabilities capabilities = (*backend)->capabilities(*endpoint);
    if (!options.policy && !endpoint->options.contains("policy") && !capabilities.drop_oldest) {
      qos->policy = capabilities.drop_newest ? SlowPolicy::drop_newest : SlowPolicy::lossless;
    }
    if (!options.held && !endpoint->options.contains("held")) qos->held = std::min(qos->held, capabilities.max_held);
    Refusals refusals(*endpoint, capabilities);
    refusals.check(*qos);
    if (refusals.refusal()) return tl::unexpected(*refusals.refusal());
    auto port = (*backend)->subscriber(*endpoint, *qos);
    if (!port) return tl::unexpected(port.error());
    (*port)->endpoint_text = endpoint->text();
    return Subscriber(std::move(*port), std::move(*qos));
  });
}

Result<Capabilities> Node::capabilities(std::string_view uri) const {
  return spi::guarded([&]() -> Result<Capabilities> {
    Result<Endpoint> endpoint = Endpoint::parse(uri);
    if (!endpoint) endpoint = Endpoint::parse_backend(uri);
    if (!endpoint) return tl::unexpected(endpoint.error());
    return backend_of(*endpoint).map([&](spi::Backend* backend) { return backend->capabilities(*endpoint); });
  });
}

Result<std::vector<TopicDescription>> Node::topics(std::string_view backend_uri) {
  return spi::guarded([&]() -> Result<std::vector<TopicDescription>> {
    const Result<Endpoint> endpoint = Endpoint::parse_backend(backend_uri);
    if (!endpoint) return tl::unexpected(endpoint.error());
    return backend_of(*endpoint).and_then([&](spi::Backend* backend) { return backend->topics(*endpoint); });
  });
}

Status Node::remove(std::string_view uri) {
  return spi::guarded([&]() -> Status {
    const Result<Endpoint> endpoint = Endpoint::parse(uri);
    if (!endpoint) return tl::unexpected(endpoint.error());
    return backend_of(*endpoint).and_then([&](spi::Backend* backend) { return backend->remove(*endpoint); });
  });
}

std::vector<std::string_view> Node::schemes() const {
  std::vector<std::string_view> all;
  if (backends_ == nullptr) return all;
  for (const auto& backend : *backends_) {
    const auto served = backend->schemes();
    all.insert(all.end(), served.begin(), served.end());
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

}  // namespace weir
