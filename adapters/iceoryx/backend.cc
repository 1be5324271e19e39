#include "adapters/iceoryx/backend.h"

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "adapters/iceoryx/capabilities.h"
#include "adapters/iceoryx/publisher_port.h"
#include "adapters/iceoryx/roudi_process.h"
#include "adapters/iceoryx/service.h"
#include "adapters/iceoryx/subscriber_port.h"

namespace weir::iceoryx {
namespace {

constexpr std::array<std::string_view, 1> served_schemes{"iceoryx"};
constexpr std::array<std::string_view, 1> own_options{"roudi"};

// What the first endpoint says of the messages that there will be.
struct Demand {
  std::uint64_t payload = 0;
  std::uint64_t count = 0;
  std::uint64_t memory = 0;
};

Demand demand_of(const PublisherQos& qos) {
  return {.payload = qos.max_payload, .count = qos.depth + qos.history + qos.loans, .memory = qos.memory};
}
Demand demand_of(const SubscriberQos& qos) {
  const PublisherQos unknown;
  return {.payload = unknown.max_payload, .count = qos.depth + qos.held, .memory = unknown.memory};
}

// Small messages always fit. An option that was left at its default says nothing: a laptop has no 4 GiB for it.
std::vector<Pool> pools_for(const Demand& demand) {
  const PublisherQos defaults;
  constexpr std::uint64_t usual_payload = 64ULL << 10U;
  constexpr std::uint64_t usual_memory = 64ULL << 20U;
  constexpr Pool small{.payload = 256, .count = 2048};
  const std::uint64_t payload = demand.payload == defaults.max_payload ? usual_payload : demand.payload;
  const std::uint64_t memory = demand.memory == defaults.memory ? std::max(usual_memory, 4 * payload) : demand.memory;
  // Chunks that no queue holds are wanted too: one that is being filled, one that the publisher keeps.
  constexpr std::uint64_t spare = 16;
  const std::uint64_t count =
      std::clamp<std::uint64_t>(memory / std::max<std::uint64_t>(payload, 1), 1, demand.count + spare);
  if (payload <= small.payload) return {{.payload = small.payload, .count = std::max(small.count, count)}};
  return {small, {.payload = payload, .count = count}};
}

class IceoryxBackend final : public spi::Backend {
 public:
  [[nodiscard]] std::span<const std::string_view> schemes() const noexcept override { return served_schemes; }
  [[nodiscard]] std::span<const std::string_view> option_keys() const noexcept override { return own_options; }
  [[nodiscard]] Capabilities capabilities(const Endpoint& /*endpoint*/) const noexcept override { return promised; }

  Result<std::unique_ptr<spi::PublisherPort>> publisher(const Endpoint& endpoint, const PublisherQos& qos) override {
    return opened<spi::PublisherPort>(endpoint, [&] {
      return runtime(endpoint, qos).and_then([&](std::shared_ptr<Runtime>&& runtime) {
        return PublisherPort::join(std::move(runtime), endpoint, qos);
      });
    });
  }

  Result<std::unique_ptr<spi::SubscriberPort>> subscriber(const Endpoint& endpoint, const SubscriberQos& qos) override {
    return opened<spi::SubscriberPort>(endpoint, [&] {
      return runtime(endpoint, qos).and_then([&](std::shared_ptr<Runtime>&& runtime) {
        return SubscriberPort::join(std::move(runtime), endpoint, qos);
      });
    });
  }

 private:
  // Threads are started on the way: for what iceoryx may never come back from, and to watch RouDi.
  template <class Port, class Open>
  static Result<std::unique_ptr<Port>> opened(const Endpoint& endpoint, Open open) {
    try {
      return open();
    } catch (const std::system_error& error) {
      return failure(ErrorCode::resource_exhausted,
                     fmt::format("endpoint \"{}\": there is no thread for iceoryx: {}: raise the limit of processes "
                                 "(ulimit -u, pids.max) or end some",
                                 endpoint.text(), error.what()));
    }
  }

  template <class Qos>
  Result<std::shared_ptr<Runtime>> runtime(const Endpoint& endpoint, const Qos& qos) {
    if (const auto service = service_of(endpoint); !service) return tl::unexpected(service.error());
    if (qos.type) {
      return failure(
          ErrorCode::unsupported,
          fmt::format("endpoint \"{}\": iceoryx does not compare types, so type={} would promise what nobody "
                      "checks: leave it out",
                      endpoint.text(), qos.type->name));
    }
    const auto roudi = qos.extra.find("roudi");
    if (roudi != qos.extra.end() && roudi->second != "attach" && roudi->second != "spawn") {
      return failure(ErrorCode::invalid_argument,
                     fmt::format("endpoint \"{}\": option roudi=\"{}\" is not one of: attach, spawn", endpoint.text(),
                                 roudi->second));
    }
    Runtime::Spawn spawn;
    if (roudi != qos.extra.end() && roudi->second == "spawn") {
      spawn = [pools = pools_for(demand_of(qos))] { return RoudiProcess::start(pools); };
    }
    return Runtime::join(spawn);
  }
};

}  // namespace

std::shared_ptr<spi::Backend> make_backend() { return std::make_shared<IceoryxBackend>(); }

}  // namespace weir::iceoryx
