// weir's quickstart: a real file, streamed between processes.
//
// Reading order for who wants to learn the interface: publisher_role.cc and subscriber_role.cc. The rest starts and
// kills processes, keeps accounts and draws.
#include <csignal>
#include <cstdio>
#include <string>

#include <fmt/format.h>

#include "examples/quickstart/child_process.h"
#include "examples/quickstart/command_line.h"
#include "examples/quickstart/conductor.h"
#include "examples/quickstart/display.h"
#include "examples/quickstart/leftovers.h"
#include "examples/quickstart/publisher_role.h"
#include "examples/quickstart/subscriber_role.h"

namespace quickstart {
namespace {

constexpr int exit_failed = 1;
constexpr int exit_interrupted = 128 + SIGINT;

// A process that the conductor has started.
int run_role(int argc, char** argv) {
  const weir::Result<Task> task = task_from({argv + 1, argv + argc});
  if (!task) {
    fmt::print(stderr, "quickstart: {}\n", task.error().message());
    return exit_failed;
  }
  die_with(task->conductor);
  Reporter reports(task->reports);
  const auto play = [&](const Source& file) {
    return task->role == Role::publisher ? run_publisher(*task, file, reports) : run_subscriber(*task, file, reports);
  };
  const weir::Status played = Source::inherit(task->source).and_then(play);
  if (!played) {
    reports.failed(played.error().message());
    return exit_failed;
  }
  return 0;
}

weir::Result<bool> run(const Options& options) {
  weir::Result<weir::Node> node = weir::Node::open();
  if (!node) {
    return tl::unexpected(node.error());
  }
  weir::Result<Leftovers> leftovers = Leftovers::watch(*node, options.uri);
  if (!leftovers) {
    return tl::unexpected(leftovers.error());
  }
  if (options.file.empty()) {
    print(fmt::format("gathering {} MB of this machine's own binaries\n", options.megabytes));
  }
  weir::Result<Source> file =
      options.file.empty() ? Source::gather(options.megabytes * 1'000'000) : Source::open(options.file);
  if (!file) {
    return tl::unexpected(file.error());
  }
  print(fmt::format("{:.0f} MB ({}) over {}, seed {}\n", static_cast<double>(file->size()) / 1e6, file->description(),
                    options.uri, options.seed));
  if (options.pace.count() > 0) {
    print(fmt::format("slowed down, to last {:g} s at least (--pace 0: full speed)\n",
                      static_cast<double>(options.pace.count()) / 1e3));
  }

  weir::Result<Verdict> verdict = conduct(*node, options, *file);
  if (!verdict) {
    std::string message = verdict.error().message();
    for (const std::string& thing : leftovers->find(*node)) {
      message += fmt::format("\nleft behind: {}", thing);
    }
    return weir::failure(verdict.error().code(), message);
  }
  verdict->leftovers = leftovers->find(*node);
  print("\n" + verdict->text());
  return verdict->holds();
}

int run_all(int argc, char** argv) {
  const tl::expected<Options, int> options = options_from(argc, argv);
  if (!options) {
    return options.error();
  }
  signal(SIGPIPE, SIG_IGN);  // whoever reads our output may leave early; the processes are put away all the same
  signal(SIGXFSZ, SIG_IGN);  // a limit of file sizes (ulimit -f) is an error with a message, also in the processes
  adopt_orphans();
  const weir::Result<bool> held = run(*options);
  if (!held) {
    fmt::print(stderr, "quickstart: {}\n", held.error().message());
    return held.error().code() == weir::ErrorCode::interrupted ? exit_interrupted : exit_failed;
  }
  return *held ? 0 : exit_failed;
}

}  // namespace
}  // namespace quickstart

int main(int argc, char** argv) {
  return quickstart::is_task(argc, argv) ? quickstart::run_role(argc, argv) : quickstart::run_all(argc, argv);
}
