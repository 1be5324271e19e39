// What this backend promises. It depends on the endpoint: envelopes make samples numbered.
#pragma once

#include <cstdint>

#include "adapters/zeromq/options.h"
#include "transport/backend.h"
#include "transport/capabilities.h"

namespace weir::zeromq {

// High-water marks are ints, and a publisher's is twice its depth: see publisher.cc.
inline constexpr std::uint64_t largest_depth = 1ULL << 30U;

[[nodiscard]] constexpr Capabilities promises(bool across_processes, bool envelope, bool filtered, Frames frames) {
  return {
      .across_processes = across_processes,
      .sequence = envelope,
      .exact_loss = envelope && !filtered,  // what the filter keeps away would count as lost
      .publish_time = envelope,
      .user_header = frames != Frames::payload,
      .drop_newest = true,
      .lossless_block = true,
      .lossless_reject = true,
      .membership = MembershipView::subscriptions,
      .max_depth = largest_depth,
      .max_history = 0,
      .max_header = frames == Frames::payload ? 0 : spi::max_header_size,
  };
}

}  // namespace weir::zeromq
