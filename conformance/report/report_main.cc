// ./bazelw run //conformance:report -- --out DIR: runs the judge of every backend, and writes the verdicts of each as
// JSON and all of them as one page.
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "conformance/report/given_path.h"
#include "conformance/report/page.h"
#include "conformance/report/verdicts.h"

namespace weir::conformance {
namespace {

namespace fs = std::filesystem;

// Runs a program to its end. Throws std::runtime_error.
int run(std::vector<std::string> words) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t process = 0;
  if (const int fault = posix_spawn(&process, arguments[0], nullptr, nullptr, arguments.data(), environ); fault != 0) {
    throw std::runtime_error(fmt::format("cannot run {}: error {}", words.front(), fault));
  }
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

BackendReport read_report(const fs::path& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return report_from_json(nlohmann::json::parse(file));
}

int report(int argc, char** argv) {
  std::vector<std::string> sources;
  std::string out;
  std::vector<std::string> only;
  int seed = 1;
  CLI::App app{"Judges backends and writes DIR/<backend>.json and DIR/conformance.html."};
  app.add_option("--out", out, "directory to write to; made if it is not there")->required();
  app.add_option("--only", only, "as that of a judge; repeatable")
      ->allow_extra_args(false);  // what follows is a source
  app.add_option("--seed", seed, "of all random choices");
  app.add_option("sources", sources, "judges, or JSON files of judges that were run before")->required();
  CLI11_PARSE(app, argc, argv);
  const fs::path directory = fs::absolute(as_given(out));
  fs::create_directories(directory);
  // A judge with mounts of its own keeps this directory, wherever below /tmp it is.
  setenv("TEST_UNDECLARED_OUTPUTS_DIR", directory.c_str(), 1);
  std::vector<BackendReport> reports;
  bool failed = false;
  for (const std::string& source : sources) {
    if (source.ends_with(".json")) {
      reports.push_back(read_report(as_given(source)));
      continue;
    }
    const fs::path json = directory / (fs::path(source).filename().string() + ".json");
    std::vector<std::string> words{source, "--quiet", "--seed", std::to_string(seed), "--json", json.string()};
    for (const std::string& each : only) words.insert(words.end(), {"--only", each});
    fmt::print("{}\n", fmt::join(words, " "));
    std::fflush(stdout);
    fs::remove(json);  // verdicts of an earlier run are none of this one
    const int status = run(words);
    failed = failed || (status != 0 && status != 3);
    try {
      reports.push_back(read_report(json));
    } catch (const std::exception& thrown) {
      fmt::print(stderr, "report: {} ended with status {}, and is left out: {}\n", source, status, thrown.what());
      failed = true;
    }
  }
  const fs::path page = directory / "conformance.html";
  if (!(std::ofstream(page) << to_page(reports))) throw std::runtime_error("cannot write " + page.string());
  fmt::print("{}\n", page.string());
  return failed ? 1 : 0;
}

}  // namespace
}  // namespace weir::conformance

int main(int argc, char** argv) {
  try {
    return weir::conformance::report(argc, argv);
  } catch (const std::exception& thrown) {
    fmt::print(stderr, "report: {}\n", thrown.what());
    return 2;
  }
}
