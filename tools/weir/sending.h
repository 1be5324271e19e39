// Sending a message so that a signal ends it: a publisher by itself would hear nothing while a lossless subscriber
// holds it back.
#pragma once

#include <cstddef>
#include <span>

#include "tools/weir/session.h"
#include "transport/deadline.h"
#include "transport/publisher.h"
#include "transport/status.h"

namespace weir::tool {

// Copies the message and publishes it, and waits where a subscriber holds it back, whatever deadline the publisher has
// for that. A publisher that grants this (grant is not drop) waits for memory too, and says so after a second; at the
// deadline the error is why there was none. Errors: timed_out; interrupted; those of Publisher::loan and Loan::publish.
[[nodiscard]] Status send_message(Session& session, Publisher& publisher, std::span<const std::byte> payload,
                                  std::span<const std::byte> header, Deadline deadline);

}  // namespace weir::tool
