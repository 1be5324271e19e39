// What bridges of one machine know of each other, so that none carries in a circle and none does what another does.
//
//   auto claim = weir::bridge::Claim::make(node, "shm://a", "zmq+ipc:///tmp/b");   // held as long as the route lives
//
// A claim is a publisher on a topic of shm:// that is named after the route; so it ends with its process, however that
// ends, and anybody can list who carries what: `node.topics("shm://")`. Bridges see each other if they share the shm
// root, on whatever transports they carry.
//
// Thread safety: none.
#pragma once

#include <string>
#include <string_view>

#include "transport/node.h"

namespace weir::bridge {

// The topics of claims begin with this.
inline constexpr std::string_view claim_prefix = "weir-bridge ";

class Claim {
 public:
  // Errors: invalid_argument for a route from a place to itself, or one that would close a circle, which is named from
  // bridge to bridge; name_taken if another bridge carries from here to there; those of opening shm://.
  [[nodiscard]] static Result<Claim> make(Node& node, std::string_view from, std::string_view to);

 private:
  explicit Claim(Publisher publisher) : publisher_(std::move(publisher)) {}
  Publisher publisher_;
};

// The place that an endpoint names, whatever its options: equal texts for what is surely the same place. Hosts of a
// TCP endpoint that mean this machine are one.
// Errors: those of Endpoint::parse.
[[nodiscard]] Result<std::string> place_of(std::string_view uri);

}  // namespace weir::bridge
