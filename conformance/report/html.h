// Text for a page.
#pragma once

#include <string>
#include <string_view>

namespace weir::conformance {

// So that it stands for itself in an element, and in an attribute between double quotes.
[[nodiscard]] inline std::string escaped(std::string_view text) {
  std::string safe;
  for (const char each : text) {
    switch (each) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += each;
    }
  }
  return safe;
}

}  // namespace weir::conformance
