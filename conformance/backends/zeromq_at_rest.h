// ZeroMQ as the suite asks it: every answer is given when ZeroMQ's threads have come to rest.
//
// The suite asks right after a publish what has arrived, and right after a close who is left. ZeroMQ does both a moment
// later, on threads of its own. So the backend under test is the adapter behind this: a call that would come back with
// nothing, or be refused for want of space, first lets the I/O threads of all processes of the test finish what they
// are at. A call is only ever delayed, as any scheduler may delay it, and only answers of the adapter are returned.
//
// They are at rest when all of them sleep, none for a lock, and none has run between two looks at them all: a message
// on its way through a Unix socket or a mailbox keeps some thread runnable until it has arrived.
#pragma once

#include <memory>
#include <vector>

#include "conformance/conformance.h"
#include "transport/backend.h"

namespace weir::conformance {

[[nodiscard]] std::shared_ptr<spi::Backend> make_zeromq_at_rest();

// What ZeroMQ does otherwise, raw and with envelopes.
[[nodiscard]] std::vector<Deviation> zeromq_deviations();

}  // namespace weir::conformance
