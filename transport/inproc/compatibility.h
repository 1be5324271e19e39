// Whether two peers of one topic fit together. Every pair is checked when its second half joins; the errors are
// `incompatible` and name both sides, the values that collide, and what to change.
#pragma once

#include <optional>
#include <string>

#include "transport/membership.h"
#include "transport/qos.h"
#include "transport/status.h"

namespace weir::inproc {

struct Granted {
  const Peer& peer;
  const PublisherQos& qos;
};

struct Asked {
  const Peer& peer;
  const SubscriberQos& qos;
};

// Policy, depth and history that the subscriber asks for against what the publisher grants.
[[nodiscard]] Status check_qos(const std::string& topic, const Granted& granted, const Asked& asked);

// Two statements of a type that differ in any field; who states none fits everybody.
[[nodiscard]] Status check_types(const std::string& topic, const Peer& one, const std::optional<TypeInfo>& type_of_one,
                                 const Peer& other, const std::optional<TypeInfo>& type_of_other);

}  // namespace weir::inproc
