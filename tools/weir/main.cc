// weir: looks at topics, publishes, listens and cleans up, from a shell. docs/command-line.md is its page.
#include <cstdio>
#include <exception>
#include <string>

#include <fmt/format.h>

#include "tools/weir/command.h"

namespace weir::tool {
namespace {

constexpr const char* footer =
    "A topic is a word such as camera/front, which means shm://camera/front, or the endpoint of any backend, with its "
    "options: 'shm://camera?depth=8', iceoryx://Radar/Front/Object, zmq+tcp://host:5555.\n"
    "Exit codes: 0 done; 1 failed; 2 wrong arguments; 3 not found; 4 the backend cannot; 5 not allowed; 6 memory, disk "
    "or a limit; 7 time is up; 8 corrupt.";

ExitCode run(int count, char** arguments) {
  CLI::App program("Messages between processes, from the command line.", "weir");
  Action chosen;
  Console console;
  program.require_subcommand(1);
  program.fallthrough();  // so that --json may stand anywhere; subcommands inherit it
  program.footer(footer);
  program
      .add_flag_callback(
          "--json", [&console] { console.use_json(); }, "results as JSON, one document a line")
      ->trigger_on_parse();
  add_bw(program, chosen);
  add_clean(program, chosen);
  add_echo(program, chosen);
  add_hz(program, chosen);
  add_info(program, chosen);
  add_list(program, chosen);
  add_pub(program, chosen);
  add_remove(program, chosen);
  try {
    program.parse(count, arguments);
  } catch (const CLI::CallForHelp&) {
    std::fputs(program.help().c_str(), stdout);
    return ExitCode::done;
  } catch (const CLI::ParseError& error) {
    return console.error(Error(ErrorCode::invalid_argument,
                               fmt::format("{}. See weir --help, or --help after a command", error.what())));
  }
  Interrupts interrupts;
  Result<Node> node = Node::open();
  if (!node) return console.error(node.error());
  Session session{.node = *node, .console = console, .interrupts = interrupts};
  return chosen(session);
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
