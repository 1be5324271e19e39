// The loop of hz and bw: listens, and each second says how it was, and at the end how it was in all.
#pragma once

#include <functional>
#include <string>

#include "tools/weir/rate.h"
#include "tools/weir/receiving.h"

namespace weir::tool {

struct Measuring {
  Listening listening;
  double interval = 1;  // seconds between lines

  void add_to(CLI::App& command);
};

// How a command words what was measured.
struct Wording {
  std::function<std::string(const Rate&)> text;
  std::function<Json(const Rate&)> json;
};

[[nodiscard]] ExitCode measure(Session& session, const Measuring& measuring, const Wording& wording);

}  // namespace weir::tool
