#include "adapters/testing/counted_parts.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string_view>

#include <fmt/format.h>

namespace weir::testing {
namespace {

struct TemporaryDirectory {
  std::string path;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Its exit status, or -1.
int run(const std::vector<std::string>& words, const std::string& output) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t process = fork();
  if (process == 0) {
    const int file = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  int status = 0;
  return process > 0 && waitpid(process, &status, 0) == process && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// The line "totals: 12345" of a dump; 0 if there is none.
std::uint64_t total_of(const std::string& path) {
  std::ifstream dump(path);
  std::uint64_t total = 0;
  for (std::string line; std::getline(dump, line);) {
    if (line.starts_with("totals: ")) total = std::stoull(line.substr(line.find(' ')));
  }
  return total;
}

}  // namespace

Result<std::vector<std::uint64_t>> count_parts(const std::vector<std::string>& command, const std::string& directory) {
  TemporaryDirectory files{directory + "/counted-XXXXXX"};
  if (mkdtemp(files.path.data()) == nullptr) return failure(ErrorCode::internal, "no directory in " + directory);
  const std::string dumps = files.path + "/dump";
  const std::string output = files.path + "/output";
  // No debugger is to attach, which needs a FIFO in /tmp.
  std::vector<std::string> words{"valgrind",
                                 "--tool=callgrind",
                                 "--vgdb=no",
                                 "--zero-before=weir_counted_part_begins",
                                 "--dump-before=weir_counted_part_ends",
                                 "--callgrind-out-file=" + dumps + ".%p"};
  words.insert(words.end(), command.begin(), command.end());
  if (const int status = run(words, output); status != 0) {
    return failure(ErrorCode::internal, fmt::format("valgrind ended with {}:\n{}", status, content_of(output)));
  }
  std::vector<std::uint64_t> totals;
  // The first of a process is "dump.PROCESS.1". What comes behind the last one is in "dump.PROCESS".
  std::map<std::string, int> parts;
  std::ifstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    constexpr std::string_view mark = "counted part of process ";
    if (!line.starts_with(mark)) continue;
    const std::string process = line.substr(mark.size());
    totals.push_back(total_of(fmt::format("{}.{}.{}", dumps, process, ++parts[process])));
  }
  return totals;
}

}  // namespace weir::testing
