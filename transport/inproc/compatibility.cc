#include "transport/inproc/compatibility.h"

#include <string_view>

#include <fmt/format.h>

namespace weir::inproc {
namespace {

std::string describe(const Peer& peer) { return fmt::format("{} {} \"{}\"", to_string(peer.role), peer.id, peer.name); }

std::string describe(const TypeInfo& type) {
  return fmt::format("type \"{}\" (size {}, alignment {}, fingerprint {:#x})", type.name, type.size, type.alignment,
                     type.fingerprint);
}

tl::unexpected<Error> mismatch(const std::string& topic, const Granted& granted, const Asked& asked,
                               std::string_view asks, std::string_view grants, std::string_view remedy) {
  return failure(ErrorCode::incompatible,
                 fmt::format("topic \"{}\": {} asks for {}, {} grants {}: {}", topic, describe(asked.peer), asks,
                             describe(granted.peer), grants, remedy));
}

}  // namespace

Status check_qos(const std::string& topic, const Granted& granted, const Asked& asked) {
  if (asked.qos.policy == SlowPolicy::lossless && granted.qos.grant == Grant::drop) {
    return mismatch(topic, granted, asked, "policy=lossless", "grant=drop",
                    "subscribe with drop_oldest or drop_newest, or publish with grant=block or grant=reject");
  }
  if (asked.qos.depth > granted.qos.depth) {
    return mismatch(topic, granted, asked, fmt::format("depth={}", asked.qos.depth),
                    fmt::format("at most depth={}", granted.qos.depth),
                    "lower the option of the subscriber or raise that of the publisher");
  }
  if (asked.qos.history > granted.qos.history) {
    return mismatch(topic, granted, asked, fmt::format("history={}", asked.qos.history),
                    fmt::format("at most history={}", granted.qos.history),
                    "lower the option of the subscriber or raise that of the publisher");
  }
  return {};
}

Status check_types(const std::string& topic, const Peer& one, const std::optional<TypeInfo>& type_of_one,
                   const Peer& other, const std::optional<TypeInfo>& type_of_other) {
  if (!type_of_one || !type_of_other || *type_of_one == *type_of_other) {
    return {};
  }
  return failure(ErrorCode::incompatible,
                 fmt::format("topic \"{}\": {} states {}, {} states {}: state the same type on both sides, or use "
                             "another topic",
                             topic, describe(one), describe(*type_of_one), describe(other), describe(*type_of_other)));
}

}  // namespace weir::inproc
