// A subscriber: takes the messages of a file and checks each.
#pragma once

#include "examples/quickstart/report.h"
#include "examples/quickstart/source.h"
#include "examples/quickstart/task.h"
#include "transport/status.h"

namespace quickstart {

// Subscribes as the task says, until the message that ends the file. Errors: the first that it meets. That messages are
// lost or wrong is none: that is in the account.
[[nodiscard]] weir::Status run_subscriber(const Task& task, const Source& file, Reporter& reports);

}  // namespace quickstart
