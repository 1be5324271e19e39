// CRC-32 as in gzip, zip and PNG, so that anybody can check the figure: gzip -c FILE | tail -c8 | od -An -N4 -tx4
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace quickstart {

// The checksum of `bytes` after those that gave `before`: crc32(b, crc32(a)) is that of a and b in a row.
[[nodiscard]] std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t before = 0) noexcept;

}  // namespace quickstart
