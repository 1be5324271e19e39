// What a person types, and what the conductor writes for the processes that it starts.
//
// Thread safety: functions without state.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "examples/quickstart/task.h"
#include "transport/status.h"

namespace quickstart {

// What a person can choose.
struct Options {
  std::string uri;   // by default a topic of its own on shm://
  std::string file;  // empty: gather `megabytes` from the machine's own binaries
  std::uint64_t megabytes = 300;
  std::uint64_t seed = 1;
  std::chrono::milliseconds pace{0};  // how long the stream lasts at least
};

// Prints help or what is wrong, where that is asked for or needed, and returns the exit status instead.
[[nodiscard]] tl::expected<Options, int> options_from(int argc, char** argv);

// Whether the conductor has written this command line.
[[nodiscard]] bool is_task(int argc, char** argv);

// A task as a command line (without the program's name), and back. Errors: invalid_argument for words that `words_for`
// has not made.
[[nodiscard]] std::vector<std::string> words_for(const Task& task);
[[nodiscard]] weir::Result<Task> task_from(std::vector<std::string> words);

}  // namespace quickstart
