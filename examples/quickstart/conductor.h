// Starts the processes, kills one of them in the middle, and judges what they report.
//
// Thread safety: none. It takes SIGINT, SIGTERM and SIGHUP over while it runs.
#pragma once

#include "examples/quickstart/command_line.h"
#include "examples/quickstart/source.h"
#include "examples/quickstart/verdict.h"
#include "transport/node.h"
#include "transport/status.h"

namespace quickstart {

// Streams the file as the options say and returns what came of it. Whatever it returns, none of its processes is left.
// Errors: those of the backend, of a process that failed or died unasked, timed_out when nothing moves any more,
// interrupted on a signal.
[[nodiscard]] weir::Result<Verdict> conduct(weir::Node& node, const Options& options, const Source& file);

}  // namespace quickstart
