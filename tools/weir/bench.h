// What the two processes of `weir bench` say to each other: in the first byte of each message.
#pragma once

#include <cstdint>
#include <string>

#include "transport/subscriber.h"

namespace weir::tool {

enum class BenchWord : std::uint8_t {
  answer,  // send it back
  count,   // count it
  tell,    // send back how many were counted, as eight bytes behind the first, and begin anew
};
inline constexpr std::size_t smallest_bench_message = 1 + sizeof(std::uint64_t);

// Where the two meet: a topic for each direction.
struct BenchTopics {
  std::string there;
  std::string back;
};

// The next message, which it waits for. Errors: timed_out when there is none until the deadline; interrupted; those of
// Subscriber::take.
[[nodiscard]] Result<Sample> next_message(Subscriber& subscriber, Deadline deadline, const std::stop_token& stop);

}  // namespace weir::tool
