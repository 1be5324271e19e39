#include "tools/weir/test_program.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

namespace weir::tool::testing {
namespace {

std::array<int, 2> open_pipe() {
  std::array<int, 2> ends{};
  EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  return ends;
}

// Adds what there is. False: the other end is closed.
bool read_some(int& descriptor, std::string& text) {
  std::array<char, 4096> part;
  const ssize_t got = read(descriptor, part.data(), part.size());
  if (got < 0 && errno == EINTR) return true;
  if (got > 0) {
    text.append(part.data(), static_cast<std::size_t>(got));
    return true;
  }
  close(descriptor);
  descriptor = -1;
  return false;
}

}  // namespace

PrivateRoot::PrivateRoot() : path_("/dev/shm/weir-tool-test.XXXXXX") {
  EXPECT_NE(mkdtemp(path_.data()), nullptr);
  EXPECT_EQ(setenv("WEIR_ROOT", path_.c_str(), 1), 0);
}

PrivateRoot::~PrivateRoot() { std::filesystem::remove_all(path_); }

Program::Program(const std::vector<std::string>& arguments, const std::optional<std::string>& input,
                 const std::string& executable) {
  const auto [output_read, output_write] = open_pipe();
  const auto [errors_read, errors_write] = open_pipe();
  const auto [input_read, input_write] = open_pipe();
  std::vector<std::string> words{executable};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers(words.size() + 1);  // ends with a null pointer
  std::transform(words.begin(), words.end(), pointers.begin(), [](std::string& word) { return word.data(); });
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input_read, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output_write, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors_write, STDERR_FILENO);
  EXPECT_EQ(posix_spawnp(&pid_, executable.c_str(), &actions, nullptr, pointers.data(), environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  // Less than a pipe holds, so this does not wait for the reader.
  const std::string text = input.value_or("");
  EXPECT_EQ(write(input_write, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  for (const int descriptor : {input_read, input_write, output_write, errors_write}) close(descriptor);
  output_end_ = output_read;
  errors_end_ = errors_read;
}

Program::~Program() {
  if (pid_ > 0) {
    signal(SIGKILL);
    end();
  }
}

bool Program::prints_more() {
  std::array<pollfd, 2> sources{{{output_end_, POLLIN, 0}, {errors_end_, POLLIN, 0}}};
  if (output_end_ < 0 && errors_end_ < 0) return false;
  if (poll(sources.data(), sources.size(), -1) < 0) return errno == EINTR;
  if (sources[0].revents != 0) read_some(output_end_, output_);
  if (sources[1].revents != 0) read_some(errors_end_, errors_);
  return true;
}

bool Program::prints(const std::string& text) {
  while (output_.find(text) == std::string::npos) {
    if (!prints_more()) return false;
  }
  return true;
}

bool Program::notes(const std::string& text) {
  while (errors_.find(text) == std::string::npos) {
    if (!prints_more()) return false;
  }
  return true;
}

void Program::signal(int number) const { kill(pid_, number); }

void Program::stop() const {
  signal(SIGSTOP);
  int status = 0;
  EXPECT_EQ(waitpid(pid_, &status, WUNTRACED), pid_);
  EXPECT_TRUE(WIFSTOPPED(status));
}

int Program::end() {
  while (prints_more()) {
  }
  int status = 0;
  EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

Outcome run(const std::vector<std::string>& arguments, const std::optional<std::string>& input) {
  Program program(arguments, input);
  const int status = program.end();
  return {.status = status, .output = program.output(), .errors = program.errors()};
}

}  // namespace weir::tool::testing
