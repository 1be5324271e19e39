#include "adapters/zeromq/test_support.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include <fmt/format.h>

namespace weir::zeromq::testing_support {
namespace {

constexpr std::size_t room_for_names = 40;

[[noreturn]] void throw_system(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

}  // namespace

ShortDirectory::ShortDirectory() {
  const char* given = std::getenv("TEST_TMPDIR");
  std::string base = given == nullptr ? "/tmp" : given;
  if (base.size() > room_for_names) base = "/tmp";
  path_ = base + "/weir-zmq-XXXXXX";
  if (mkdtemp(path_.data()) == nullptr) throw_system("mkdtemp");
}

ShortDirectory::~ShortDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Program::Program(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  int input[2];
  int output[2];
  if (pipe2(input, O_CLOEXEC) != 0 || pipe2(output, O_CLOEXEC) != 0) throw_system("pipe2");
  process_ = fork();
  if (process_ < 0) throw_system("fork");
  if (process_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(input[0], STDIN_FILENO);
    dup2(output[1], STDOUT_FILENO);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  ::close(input[0]);
  ::close(output[1]);
  input_ = input[1];
  output_ = output[0];
}

Program::~Program() {
  if (process_ > 0) {
    kill();
    static_cast<void>(wait());
  }
  end_input();
  ::close(output_);
}

void Program::end_input() {
  if (input_ >= 0) ::close(std::exchange(input_, -1));
}

void Program::write_line(std::string_view line) {
  const std::string text = std::string(line) + '\n';
  if (::write(input_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) throw_system("write");
}

std::string Program::read_line() {
  std::string line;
  char character = 0;
  while (::read(output_, &character, 1) == 1) {
    if (character == '\n') return line;
    line.push_back(character);
  }
  if (line.empty()) throw std::runtime_error("the program ended, where it was to say something");
  return line;
}

void Program::kill() { ::kill(process_, SIGKILL); }

std::string Program::wait() {
  int status = 0;
  if (waitpid(std::exchange(process_, -1), &status, 0) < 0) throw_system("waitpid");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return WIFSIGNALED(status) ? fmt::format("killed by signal {}", WTERMSIG(status))
                             : fmt::format("ended with {}", WEXITSTATUS(status));
}

std::uint64_t messages_of_a_million() {
  static const std::uint64_t count = [] {
    constexpr std::uint64_t million = 1'000'000;
    const char* const given = std::getenv("WEIR_MESSAGES");
    const std::uint64_t chosen = given == nullptr ? million : std::stoull(given);
    fmt::print("{} messages of {}\n", chosen, million);
    return chosen;
  }();
  return count;
}

std::string data_file(std::string_view path) {
  const char* sources = std::getenv("TEST_SRCDIR");
  const char* workspace = std::getenv("TEST_WORKSPACE");
  if (sources == nullptr || workspace == nullptr) return std::string(path);
  return fmt::format("{}/{}/{}", sources, workspace, path);
}

}  // namespace weir::zeromq::testing_support
