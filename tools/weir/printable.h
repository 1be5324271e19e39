// A name that came from shared memory, or a sentence with such names, made harmless for a terminal.
#pragma once

#include <string>
#include <string_view>

namespace weir::tool {

// Control characters and what is no UTF-8 as \x1b.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace weir::tool
