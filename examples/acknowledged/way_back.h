// Where App B answers App A: an endpoint beside that of the infos, over the same transport, so that one URI is all that
// a person has to choose.
#pragma once

#include <string>
#include <string_view>

#include "transport/endpoint.h"
#include "transport/status.h"

namespace weir::acknowledged {

// shm://infos → shm://infos.ack; likewise for others. ZeroMQ has one binder for an endpoint, and here it is App A,
// which receives; a TCP endpoint has the next port.
// Errors: those of Endpoint::parse; invalid_argument for a TCP endpoint without a port.
[[nodiscard]] Result<std::string> way_back(std::string_view uri);

}  // namespace weir::acknowledged
