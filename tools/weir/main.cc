// weir: looks at topics, publishes, listens and cleans up, from a shell. docs/command-line.md is its page.
#include <cstdio>
#include <exception>

#include <fmt/format.h>

#include "tools/weir/command_line.h"

namespace weir::tool {
namespace {

ExitCode run(int count, char** arguments) {
  Console console;
  const Result<Request> request = parse(count, arguments, console);
  if (!request) return console.error(request.error());
  if (!request->action) {
    console.raw(request->help);
    return ExitCode::done;
  }
  Interrupts interrupts;
  Result<Node> node = Node::open();
  if (!node) return console.error(node.error());
  Session session{.node = *node, .console = console, .interrupts = interrupts};
  return request->action(session);
}

}  // namespace
}  // namespace weir::tool

int main(int count, char** arguments) {
  try {
    return static_cast<int>(weir::tool::run(count, arguments));
  } catch (const std::exception& exception) {
    fmt::print(stderr, "weir: {}\n", exception.what());
    return static_cast<int>(weir::tool::ExitCode::failed);
  }
}
