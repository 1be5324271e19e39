// What a test may need of a backend: the names of its capabilities, and how to ask for one that is not promised.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "transport/capabilities.h"
#include "transport/node.h"
#include "transport/status.h"

namespace weir::conformance {

struct Feature {
  // Makes the endpoint of a fresh topic with these options.
  using Endpoints = std::function<std::string(std::string_view options)>;

  std::string_view name;
  bool (*promised)(const Capabilities& capabilities);
  // Asks a backend that does not promise it, which must refuse with `unsupported`. Null where it cannot be asked for.
  Status (*ask)(Node& node, const Endpoints& endpoint) = nullptr;
};

namespace feature {

extern const Feature processes;  // across_processes
extern const Feature sequence;
extern const Feature exact_loss;
extern const Feature publish_time;
extern const Feature user_header;
extern const Feature types;
extern const Feature drop_oldest;
extern const Feature drop_newest;
extern const Feature lossless;  // lossless_block or lossless_reject
extern const Feature lossless_block;
extern const Feature lossless_reject;
extern const Feature negotiates_policy;
extern const Feature exact_depth;
extern const Feature survives_publisher;
extern const Feature persistence;
extern const Feature death_events;
extern const Feature lists_topics;
extern const Feature acknowledgement;
extern const Feature in_hand_list;
extern const Feature counts_subscribers;  // membership: subscriptions or full
extern const Feature full_membership;
extern const Feature history;  // max_history of 16 at least

}  // namespace feature
}  // namespace weir::conformance
