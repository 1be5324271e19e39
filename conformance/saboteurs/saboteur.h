// Backends that are wrong on purpose, each in one way. The suite must catch every one of them.
//
//   const Saboteur reorders{{.name = "reorders", .requirement = "ORD-1", .test = "Ordering.…", .sign = "order"},
//                           [](bool across) { return std::make_shared<Over<Reorders>>(across); }};
//
// Which one a process is comes by the variable WEIR_SABOTEUR, as the peers of a test are processes too; without it, the
// backend is the good one beneath them all, which must pass what they fail.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "conformance/saboteurs/wrapper.h"
#include "transport/backend.h"

namespace weir::conformance {

struct Sabotage {
  std::string name;               // what it does
  std::string requirement;        // the id that it breaks
  std::string test;               // that shall catch it: "Ordering.NothingComesTwice"
  std::string sign;               // what the test says of it: a part of the reason
  bool across_processes = false;  // over shm rather than inproc
  bool hangs = false;             // the test has to be ended
};

class Saboteur {
 public:
  using Make = std::shared_ptr<spi::Backend> (*)(bool across_processes);

  // Registers it.
  Saboteur(Sabotage sabotage, Make make);
};

[[nodiscard]] const std::vector<Sabotage>& sabotages();

inline constexpr const char* saboteur_variable = "WEIR_SABOTEUR";
inline constexpr const char* across_variable = "WEIR_SABOTEUR_ACROSS_PROCESSES";

// A backend whose publishers or subscribers are `Port`.
template <class Port>
class Over : public WrappedBackend {
 public:
  using WrappedBackend::WrappedBackend;

  Result<std::unique_ptr<spi::PublisherPort>> publisher(const Endpoint& endpoint, const PublisherQos& qos) override {
    auto port = WrappedBackend::publisher(endpoint, qos);
    if constexpr (std::is_base_of_v<spi::PublisherPort, Port>) {
      return std::move(port).map([&](auto inner) -> std::unique_ptr<spi::PublisherPort> {
        return std::make_unique<Port>(std::move(inner), qos);
      });
    }
    return port;
  }

  Result<std::unique_ptr<spi::SubscriberPort>> subscriber(const Endpoint& endpoint, const SubscriberQos& qos) override {
    auto port = WrappedBackend::subscriber(endpoint, qos);
    if constexpr (std::is_base_of_v<spi::SubscriberPort, Port>) {
      return std::move(port).map([&](auto inner) -> std::unique_ptr<spi::SubscriberPort> {
        return std::make_unique<Port>(std::move(inner), qos);
      });
    }
    return port;
  }
};

template <class Backend>
std::shared_ptr<spi::Backend> made(bool across_processes) {
  return std::make_shared<Backend>(across_processes);
}

}  // namespace weir::conformance
