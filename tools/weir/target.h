// The endpoints that a person names on the command line. A word without "://" is a topic of shm.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "transport/endpoint.h"
#include "transport/node.h"
#include "transport/shm/observer.h"
#include "transport/shm/root.h"
#include "transport/status.h"
#include "transport/subscriber.h"

namespace weir::tool {

// "camera/front?depth=8" is "shm://camera/front?depth=8"; what has a scheme stays as it is.
[[nodiscard]] std::string uri_of(std::string_view word);

// Errors: those of Endpoint::parse.
[[nodiscard]] Result<Endpoint> topic_of(std::string_view word);
// The same for a whole backend: "shm", "shm://?root=/run/robot", "iceoryx://".
[[nodiscard]] Result<Endpoint> backend_of(std::string_view word);

// The directory that holds its topics. Errors: those of place_of.
[[nodiscard]] Result<std::string> root_of(const Endpoint& backend);

// The root of an shm endpoint, open for looking. Empty where it was not made yet, as nobody has used it. Errors:
// not_found for a directory that the user named and that is not there; permission_denied; those of place_of.
[[nodiscard]] Result<std::optional<shm::Observer>> observe(const Endpoint& endpoint);

// The topic as it is in shared memory. Errors: not_found, naming topics that are there; those of observe().
[[nodiscard]] Result<shm::ObservedTopic> observe_topic(const Endpoint& endpoint);

// Joins as a subscriber that disturbs nobody: one that fits whichever publisher there is, and drops what is too much
// for it, unless the endpoint says otherwise. Errors: not_found for a topic that nobody has made, where the backend can
// tell and `wait_for_it` is false; those of Node::subscriber.
[[nodiscard]] Result<Subscriber> listen_to(Node& node, std::string_view word, bool wait_for_it);

}  // namespace weir::tool
