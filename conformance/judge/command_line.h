// What a judge is asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "conformance/judge/test_process.h"

namespace weir::conformance {

struct JudgeOptions {
  std::string plugin;             // path of a library; only of judges of plug-ins
  std::string endpoint;           // with {topic}, and {root} or {sandbox}
  std::string deviations;         // path of a JSON file
  std::vector<std::string> only;  // ids, families of ids, or tests
  TestLimits limits;
  std::string json;  // paths to write to
  std::string html;
  bool list = false;    // name the tests and end
  bool quiet = false;   // no line for each test
  std::string program;  // as it was called, for replay lines
};

// Nothing if the program shall end with `status`: a wrong command line, or a call for help, which were answered.
// `of_plugin`: this judge has no backend linked in.
[[nodiscard]] std::optional<JudgeOptions> read_command_line(int argc, char** argv, bool of_plugin, int& status);

// The command that runs one test again.
[[nodiscard]] std::string replay_line(const JudgeOptions& options, const std::string& test);

// The tests that are asked for, of all: an id names the tests that judge it.
[[nodiscard]] std::vector<std::string> chosen_tests(const std::vector<std::string>& only);

}  // namespace weir::conformance
