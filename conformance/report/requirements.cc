#include "conformance/report/requirements.h"

#include <regex>
#include <sstream>

namespace weir::conformance {

std::vector<Requirement> read_requirements(std::string_view text) {
  static const std::regex line_of_table(R"(\| *([A-Z]+-[0-9]+) *\| *([A-Z]+) *\| *(.*[^ ]) *\|)");
  static const std::regex heading(R"(## [A-Z]+: (.*))");
  std::vector<Requirement> all;
  std::string family;
  std::istringstream lines{std::string(text)};
  std::smatch parts;
  for (std::string line; std::getline(lines, line);) {
    if (std::regex_match(line, parts, heading)) family = parts[1];
    if (std::regex_match(line, parts, line_of_table)) all.push_back({parts[1], parts[2], parts[3], family});
  }
  return all;
}

const std::vector<Requirement>& requirements() {
  static const std::vector<Requirement> all = read_requirements(requirements_text());
  return all;
}

}  // namespace weir::conformance
