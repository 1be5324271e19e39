// REQUIREMENTS.md as a program reads it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::conformance {

struct Requirement {
  std::string id;     // "ORD-1"
  std::string level;  // "MUST" or "SHOULD"
  std::string sentence;
  std::string family;  // the heading that it stands under: "order and identity"
};

// The lines of the form "| ORD-1 | MUST | A sentence. |", in their order.
[[nodiscard]] std::vector<Requirement> read_requirements(std::string_view text);

// Those of REQUIREMENTS.md as it was when this was built.
[[nodiscard]] const std::vector<Requirement>& requirements();

// The file itself, by the build.
[[nodiscard]] std::string_view requirements_text();

}  // namespace weir::conformance
