// Messages whose every byte says which message it belongs to.
//
// Payload and user header are derived from the publisher, the number of the message, and both sizes, so that a torn,
// repeated, mixed-up or cut message shows. Payloads of stamp_size bytes and more also state publisher and number
// themselves; smaller ones can only be compared with what the sample says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "transport/backend.h"
#include "transport/membership.h"

namespace weir::conformance {

inline constexpr std::size_t stamp_size = 24;

struct MessageIdentity {
  PeerId publisher = 0;                           // 0: unknown
  std::uint64_t number = weir::spi::no_sequence;  // no_sequence: unknown

  friend bool operator==(const MessageIdentity&, const MessageIdentity&) = default;
};

// Fills payload and header, whatever their sizes.
void write_message(std::span<std::byte> payload, std::span<std::byte> header, MessageIdentity identity);

struct MessageReading {
  MessageIdentity identity;  // as stated, completed by what the payload states
  std::uint32_t faults = 0;  // Fault bits of history/event.h
};

// Reads all bytes. `stated` is what the sample says of itself, unknown where the backend cannot know.
[[nodiscard]] MessageReading read_message(std::span<const std::byte> payload, std::span<const std::byte> header,
                                          MessageIdentity stated);

// The size of a message of a stream of mixed sizes: the same for the same number, from `least` to `most`.
[[nodiscard]] std::uint64_t mixed_size(std::uint64_t number, std::uint64_t least, std::uint64_t most);

}  // namespace weir::conformance
