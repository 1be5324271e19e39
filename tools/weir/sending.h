// Sending a message so that a signal ends it: a publisher by itself would hear nothing while a lossless subscriber
// holds it back.
#pragma once

#include <cstddef>
#include <span>
#include <stop_token>

#include "transport/deadline.h"
#include "transport/publisher.h"
#include "transport/status.h"

namespace weir::tool {

// Copies the message and publishes it, and waits where a subscriber holds it back, whatever deadline the publisher has
// for that. Errors: timed_out; interrupted; those of Publisher::loan and Loan::publish.
[[nodiscard]] Status send_message(Publisher& publisher, std::span<const std::byte> payload,
                                  std::span<const std::byte> header, Deadline deadline, const std::stop_token& stop);

}  // namespace weir::tool
