// The publisher: streams a file to whoever subscribes.
#pragma once

#include "examples/quickstart/report.h"
#include "examples/quickstart/source.h"
#include "examples/quickstart/task.h"
#include "transport/status.h"

namespace quickstart {

// Publishes the whole file, reporting as it goes. At the start, at half and at three quarters it waits until the
// conductor has written a byte to task.commands, so that who is to join by then has joined. Errors: the first that
// it meets.
[[nodiscard]] weir::Status run_publisher(const Task& task, const Source& file, Reporter& reports);

}  // namespace quickstart
