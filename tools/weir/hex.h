// Bytes in hexadecimal.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace weir::tool {

// "5f0c93"
[[nodiscard]] std::string hex_digits(std::span<const std::byte> bytes);

// Lines of 16 bytes with their offset and what of them is text, as hexdump -C has them.
[[nodiscard]] std::string hex_dump(std::span<const std::byte> bytes);

}  // namespace weir::tool
