// What is done with a payload: nothing, or every byte written before it is sent
// and read after it came.
//
// What is written can be checked, so that no peer looks fast because it
// delivers the wrong thing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "conformance/performance/failure.h"

namespace weir::performance {

enum class Touch : std::uint8_t { nothing, everything };

// Writes the number into every word of the payload; sizes are multiples of a
// word.
inline void write_number(std::span<std::byte> payload, std::uint64_t number) noexcept {
  for (std::size_t at = 0; at < payload.size(); at += sizeof(number)) {
    std::memcpy(payload.data() + at, &number, sizeof(number));
  }
}

// The number that was written. The payload must have a word.
[[nodiscard]] inline std::uint64_t number_of(std::span<const std::byte> payload) noexcept {
  std::uint64_t number = 0;
  std::memcpy(&number, payload.data(), sizeof(number));
  return number;
}

// Reads every word. Throws Failure unless each is the number.
inline void check_number(std::span<const std::byte> payload, std::uint64_t number) {
  std::uint64_t difference = 0;
  for (std::size_t at = 0; at < payload.size(); at += sizeof(number)) {
    std::uint64_t word = 0;
    std::memcpy(&word, payload.data() + at, sizeof(word));
    difference |= word ^ number;
  }
  if (difference != 0) {
    fail("message " + std::to_string(number) + " came with another content than was sent");
  }
}

}  // namespace weir::performance
