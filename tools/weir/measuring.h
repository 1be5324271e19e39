// The loop of hz and bw: listens, and each second says how it was, and at the end how it was in all.
#pragma once

#include <functional>
#include <string>

#include "tools/weir/commands.h"
#include "tools/weir/rate.h"

namespace weir::tool {

// How a command words what was measured.
struct Wording {
  std::function<std::string(const Rate&)> text;
  std::function<Json(const Rate&)> json;
};

[[nodiscard]] ExitCode measure(Session& session, const MeasuringOptions& options, const Wording& wording);

}  // namespace weir::tool
