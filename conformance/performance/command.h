// Runs another program to its end.
#pragma once

#include <string>
#include <vector>

#include "transport/status.h"

namespace weir::performance {

// What a file holds; nothing if it cannot be read.
[[nodiscard]] std::string content_of(const std::string& path);

// Runs a command, found as a shell would, with all that it says going to the
// file `output`. Errors: not_found when it cannot be run; internal, with what
// it said, when it ends with anything but 0.
[[nodiscard]] Status run_command(const std::vector<std::string>& command, const std::string& output);

}  // namespace weir::performance
