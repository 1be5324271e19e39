// The words of the command line.
#pragma once

#include <functional>
#include <string>

#include "tools/weir/session.h"

namespace weir::tool {

// What the words ask for. `help` is text to print, and then there is no action.
struct Request {
  std::function<ExitCode(Session&)> action;
  std::string help;
};

// Errors: invalid_argument, naming the word. `console` is told of --json as soon as it is read.
[[nodiscard]] Result<Request> parse(int count, const char* const* arguments, Console& console);

}  // namespace weir::tool
