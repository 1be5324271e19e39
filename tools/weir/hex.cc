#include "tools/weir/hex.h"

#include <algorithm>

#include <fmt/format.h>

namespace weir::tool {

std::string hex_digits(std::span<const std::byte> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::byte byte : bytes) {
    text.push_back(digits[std::to_integer<unsigned>(byte) >> 4U]);
    text.push_back(digits[std::to_integer<unsigned>(byte) & 15U]);
  }
  return text;
}

std::string hex_dump(std::span<const std::byte> bytes) {
  constexpr std::size_t line = 16;
  std::string text;
  for (std::size_t offset = 0; offset < bytes.size(); offset += line) {
    const auto part = bytes.subspan(offset, std::min(line, bytes.size() - offset));
    text += fmt::format("{:08x} ", offset);
    for (std::size_t index = 0; index < line; ++index) {
      if (index == line / 2) text += ' ';
      text += index < part.size() ? fmt::format(" {:02x}", std::to_integer<unsigned>(part[index])) : "   ";
    }
    text += "  |";
    for (const std::byte byte : part) {
      const auto character = std::to_integer<char>(byte);
      text += character >= 0x20 && character < 0x7f ? character : '.';
    }
    text += "|\n";
  }
  return text;
}

}  // namespace weir::tool
