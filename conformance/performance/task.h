// What a peer is asked to carry: a load with its measures.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "conformance/performance/content.h"

namespace weir::performance {

enum class Load : std::uint8_t {
  latency,       // a message there and one back, again and again
  stream,        // one sender, one receiver, nothing lost
  fan_out,       // one sender, `others` receivers, each gets all
  fan_in,        // `others` senders, one receiver, nothing lost
  publish_cost,  // a sender alone, beside `others` receivers that drop and take
                 // nothing
  recovery,      // one of two lossless receivers is killed
  many_topics,   // a message on one of `others` topics, for a receiver that waits
                 // for all of them
};

struct Message {
  std::size_t size = 64;
  Touch touch = Touch::nothing;
};

// About how long the measuring role takes for a round.
using Budget = std::chrono::nanoseconds;

// As deep a queue as iceoryx has.
inline constexpr std::uint64_t usual_most_queued = 255;

struct Task {
  Load load = Load::latency;
  Message message = {};
  bool blocking = false;                // asleep while there is nothing to do, instead of
                                        // looking again and again
  std::chrono::nanoseconds pause = {};  // before each message of a round trip, not in its time
  std::uint64_t others = 1;
  std::uint64_t most_queued = usual_most_queued;  // messages, where nothing may be lost
  Budget budget = std::chrono::milliseconds(50);
};

// How many messages a lossless queue holds: the same for all peers that can
// choose.
[[nodiscard]] constexpr std::uint64_t depth_for(const Task& task) noexcept {
  constexpr std::size_t bytes = std::size_t{16} << 20U;
  return std::clamp<std::uint64_t>(bytes / std::max<std::size_t>(task.message.size, 1), 4, task.most_queued);
}

}  // namespace weir::performance
