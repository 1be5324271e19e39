#include "tools/weir/printable.h"

#include <cstddef>

#include <fmt/format.h>

namespace weir::tool {
namespace {

// The bytes of the UTF-8 sequence that begins here; 0 if none does.
std::size_t sequence_size(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const std::size_t size = byte(0) < 0xc2 ? 0 : byte(0) < 0xe0 ? 2 : byte(0) < 0xf0 ? 3 : byte(0) < 0xf5 ? 4 : 0;
  if (size == 0 || size > text.size()) return 0;
  for (std::size_t at = 1; at < size; ++at) {
    if ((byte(at) & 0xc0U) != 0x80) return 0;
  }
  // Of some first bytes not every second one will do: else it were a control character from U+0080 on, longer than need
  // be, a half of UTF-16, or above U+10FFFF.
  const bool is_high = byte(1) >= 0xa0;
  switch (byte(0)) {
    case 0xc2:
    case 0xe0:
      return is_high ? size : 0;
    case 0xed:
      return is_high ? 0 : size;
    case 0xf0:
      return byte(1) >= 0x90 ? size : 0;
    case 0xf4:
      return byte(1) < 0x90 ? size : 0;
    default:
      return size;
  }
}

}  // namespace

std::string printable(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const auto first = static_cast<unsigned char>(text.front());
    const std::size_t size = first >= 0x20 && first < 0x7f ? 1 : sequence_size(text);
    if (size == 0) {
      result += fmt::format("\\x{:02x}", first);
    } else {
      result += text.substr(0, size);
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return result;
}

}  // namespace weir::tool
