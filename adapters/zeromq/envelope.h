// The trailing frame that weir peers add to a message with `envelope=1`, last so that prefix filters still see the
// first frame of the application.
//
// 33 bytes, the most that libzmq carries without a further allocation; integers are little-endian:
//
//   offset 0   4  "weir"
//          4   1  version, 1
//          5   8  publisher: random, never 0, another one for each publisher that is opened
//         13   8  sequence: 0, 1, 2 …
//         21   8  time of the publish call, nanoseconds of CLOCK_MONOTONIC
//         29   4  clock: the same for all who share that clock (a hash of the machine's boot id)
//
// A native ZeroMQ program sees it as one more frame, and may send it too.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace weir::zeromq {

struct Envelope {
  std::uint64_t publisher = 0;
  std::uint64_t sequence = 0;
  std::uint64_t time = 0;
  std::uint32_t clock = 0;

  friend bool operator==(const Envelope&, const Envelope&) = default;
};

inline constexpr std::size_t envelope_size = 33;

void write_envelope(std::span<std::byte, envelope_size> frame, const Envelope& envelope) noexcept;

// Empty if the frame is no envelope of this version.
[[nodiscard]] std::optional<Envelope> read_envelope(std::span<const std::byte> frame) noexcept;

// Which CLOCK_MONOTONIC this process sees; 0 if the system does not say.
[[nodiscard]] std::uint32_t this_clock() noexcept;

// A number for a publisher or subscriber that nobody else has; never 0.
[[nodiscard]] std::uint64_t make_peer_id() noexcept;

}  // namespace weir::zeromq
