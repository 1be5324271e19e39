// Who takes part: one publisher and the subscribers, each with what it asks for.
#pragma once

#include "examples/quickstart/command_line.h"
#include "examples/quickstart/promises.h"
#include "examples/quickstart/task.h"

namespace quickstart {

struct Cast {
  Task publisher;
  Task lossless;  // gets the whole file, and holds the publisher back if it must
  Task slow;      // drops, and is killed in the middle
  Task again;     // takes its place
  Task late;      // joins at half, and first sees the newest messages before it
};

// `source` is the descriptor of the file.
[[nodiscard]] Cast cast_for(const Options& options, int source, const Measures& measures);

}  // namespace quickstart
