// What every command works with.
#pragma once

#include "tools/weir/console.h"
#include "tools/weir/exit_code.h"
#include "tools/weir/interrupts.h"
#include "transport/node.h"

namespace weir::tool {

struct Session {
  Node& node;
  Console& console;
  Interrupts& interrupts;
};

}  // namespace weir::tool
