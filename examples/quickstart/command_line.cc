#include "examples/quickstart/command_line.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "examples/quickstart/display.h"

namespace quickstart {
namespace {

const std::map<std::string, Role> roles{{"publisher", Role::publisher}, {"subscriber", Role::subscriber}};
const std::map<std::string, weir::SlowPolicy> policies{{"drop_oldest", weir::SlowPolicy::drop_oldest},
                                                       {"drop_newest", weir::SlowPolicy::drop_newest},
                                                       {"lossless", weir::SlowPolicy::lossless}};

}  // namespace

tl::expected<Options, int> options_from(int argc, char** argv) {
  Options options;
  options.uri = fmt::format("shm://quickstart-{:08x}", std::random_device()());
  CLI::App app(
      "Streams a file from a publisher process to subscriber processes: one that loses nothing, a slow one that drops\n"
      "and is killed in the middle, one that joins late. Checks every byte, every loss and what is left behind. Exits\n"
      "with 0 only if all of it held.");
  app.add_option("--uri", options.uri, "endpoint to stream over (default: a topic of its own on shm://)");
  const auto not_empty = [](const std::string& path) {
    return path.empty() ? R"(it is "": name a file, or leave it out to stream this machine's own binaries)" : "";
  };
  CLI::Option* file =
      app.add_option("--file", options.file, "file to stream (default: this machine's own binaries)")->check(not_empty);
  app.add_option("--megabytes", options.megabytes, "how much of the machine's binaries to stream")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000))
      ->excludes(file);
  app.add_option("--seed", options.seed, "of the message sizes")->capture_default_str();
  double pace = has_terminal() ? 6 : 0;
  app.add_option("--pace", pace,
                 "seconds that the stream lasts at least; 0: full speed (default: 6 where a terminal shows it)")
      ->check(CLI::Range(0.0, 600.0));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return tl::unexpected(app.exit(error));
  }
  options.pace = std::chrono::milliseconds(pace > 0 ? std::llround(pace * 1000) : 0);
  return options;
}

bool is_task(int argc, char** argv) { return argc > 1 && std::string_view(argv[1]).starts_with("--role="); }

std::vector<std::string> words_for(const Task& task) {
  return {fmt::format("--role={}", task.role == Role::publisher ? "publisher" : "subscriber"),
          fmt::format("--name={}", task.name),
          fmt::format("--uri={}", task.uri),
          fmt::format("--policy={}", weir::to_string(task.policy)),
          fmt::format("--depth={}", task.depth),
          fmt::format("--history={}", task.history),
          fmt::format("--pause={}", task.pause.count()),
          fmt::format("--whole-file={}", task.whole_file),
          fmt::format("--seed={}", task.seed),
          fmt::format("--pace={}", task.pace.count()),
          fmt::format("--source={}", task.source),
          fmt::format("--reports={}", task.reports),
          fmt::format("--commands={}", task.commands),
          fmt::format("--conductor={}", task.conductor)};
}

weir::Result<Task> task_from(std::vector<std::string> words) {
  Task task;
  std::string role;
  std::string policy;
  std::int64_t pause = 0;
  std::int64_t pace = 0;
  CLI::App app("one process of the quickstart");
  app.add_option("--role", role)->required()->check(CLI::IsMember(roles));
  app.add_option("--name", task.name)->required();
  app.add_option("--uri", task.uri)->required();
  app.add_option("--policy", policy)->required()->check(CLI::IsMember(policies));
  app.add_option("--depth", task.depth)->required();
  app.add_option("--history", task.history)->required();
  app.add_option("--pause", pause)->required();
  app.add_option("--whole-file", task.whole_file)->required();
  app.add_option("--seed", task.seed)->required();
  app.add_option("--pace", pace)->required();
  app.add_option("--source", task.source)->required();
  app.add_option("--reports", task.reports)->required();
  app.add_option("--commands", task.commands)->required();
  app.add_option("--conductor", task.conductor)->required();
  try {
    std::reverse(words.begin(), words.end());  // as CLI11 wants them
    app.parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    return weir::failure(weir::ErrorCode::invalid_argument,
                         fmt::format("--role is for the example's own use: {}", error.what()));
  }
  task.role = roles.at(role);
  task.policy = policies.at(policy);
  task.pause = std::chrono::milliseconds(pause);
  task.pace = std::chrono::milliseconds(pace);
  return task;
}

}  // namespace quickstart
