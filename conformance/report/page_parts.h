// The parts of the page that are the same whatever the verdicts: page.css and page.js, by the build.
#pragma once

#include <string_view>

namespace weir::conformance {

extern const std::string_view page_style;
extern const std::string_view page_script;

}  // namespace weir::conformance
