// What every subcommand is made of: a file with an add_… that states its arguments, and an action that does it.
#pragma once

#include <functional>

#include <CLI/CLI.hpp>

#include "tools/weir/console.h"
#include "tools/weir/exit_code.h"
#include "tools/weir/interrupts.h"
#include "transport/node.h"

namespace weir::tool {

// What an action works with.
struct Session {
  Node& node;
  Console& console;
  Interrupts& interrupts;
};

using Action = std::function<ExitCode(Session&)>;

// Adds the subcommand to the program; when it is the one that was called, `chosen` becomes its action.
void add_bw(CLI::App& program, Action& chosen);
void add_clean(CLI::App& program, Action& chosen);
void add_echo(CLI::App& program, Action& chosen);
void add_hz(CLI::App& program, Action& chosen);
void add_info(CLI::App& program, Action& chosen);
void add_list(CLI::App& program, Action& chosen);
void add_pub(CLI::App& program, Action& chosen);
void add_remove(CLI::App& program, Action& chosen);

}  // namespace weir::tool
