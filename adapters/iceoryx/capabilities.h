// What iceoryx 2.0 can do, as weir's capabilities.
#pragma once

#include <iceoryx_posh/iceoryx_posh_types.hpp>

#include "transport/backend.h"

namespace weir::iceoryx {

inline constexpr Capabilities promised = {
    .zero_copy = true,
    .across_processes = true,
    .sequence = true,
    .exact_loss = true,
    .publish_time = false,  // a chunk has none
    .user_header = true,
    .types = false,  // iceoryx compares names of services, not types
    .drop_oldest = true,
    .drop_newest = false,
    .lossless_block = true,
    .lossless_reject = false,
    .negotiates_policy = false,  // a pair that does not fit is never connected, and nobody is told
    .exact_depth = false,        // the queue is the subscriber's, shared by all publishers
    .survives_publisher = true,
    .persistence = false,
    .death_events = false,
    .lists_topics = false,
    .membership = MembershipView::any_or_none,
    .max_depth = iox::MAX_SUBSCRIBER_QUEUE_CAPACITY,
    .max_history = iox::MAX_PUBLISHER_HISTORY,
    .max_header = spi::max_header_size,
    .max_loans = iox::MAX_CHUNKS_ALLOCATED_PER_PUBLISHER_SIMULTANEOUSLY,
    .max_held = iox::MAX_CHUNKS_HELD_PER_SUBSCRIBER_SIMULTANEOUSLY,
};

}  // namespace weir::iceoryx
