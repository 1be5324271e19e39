#include "conformance/performance/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "conformance/performance/failure.h"

namespace weir::performance {

Child::Child(const std::vector<std::string>& command) : name_(command.front()) {
  std::array<int, 2> to{};
  std::array<int, 2> from{};
  if (pipe2(to.data(), O_CLOEXEC) != 0 || pipe2(from.data(), O_CLOEXEC) != 0) {
    fail(fmt::format("making pipes to {}: {}", name_, std::strerror(errno)));
  }
  input_ = to[1];
  output_ = from[0];
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& argument : command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO);
  const int error = posix_spawn(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(to[0]);
  close(from[1]);
  if (error != 0) {
    pid_ = -1;
    fail(fmt::format("cannot run {}: {}", name_, std::strerror(error)));
  }
}

Child::~Child() {
  close(input_);
  if (pid_ > 0) {
    const int process = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
    pollfd ended{.fd = process, .events = POLLIN, .revents = 0};
    if (process < 0 || poll(&ended, 1, 1000) == 0) {
      kill(pid_, SIGKILL);
    }
    close(process);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  close(output_);
}

double Child::number() {
  std::string line;
  char next = 0;
  for (ssize_t got = 0; (got = read(output_, &next, 1)) != 0 && next != '\n';) {
    if (got > 0) {
      line += next;
    }
  }
  char* end = nullptr;
  const double value = std::strtod(line.c_str(), &end);
  if (line.empty() || *end != '\0') {
    fail(fmt::format("{} ended, or said no number: \"{}\"", name_, line));
  }
  return value;
}

}  // namespace weir::performance
