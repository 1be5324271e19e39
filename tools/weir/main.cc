// weir: looks at topics, publishes, listens and cleans up, from a shell. docs/command-line.md is its page.
#include <cstdio>
#include <exception>

#include "tools/weir/command_line.h"
#include "tools/weir/standard_streams.h"

namespace weir::tool {
namespace {

ExitCode run(int count, char** arguments, Console& console) {
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
    weir::tool::fill_standard_streams();
    weir::tool::Console console;
    weir::tool::ExitCode code = weir::tool::run(count, arguments, console);
    if (const weir::Status written = console.written(); !written && code == weir::tool::ExitCode::done) {
      code = console.error(written.error());
    }
    return static_cast<int>(code);
  } catch (const std::exception& exception) {
    for (const char* part : {"weir: ", exception.what(), "\n"}) std::fputs(part, stderr);
    return static_cast<int>(weir::tool::ExitCode::failed);
  }
}
