#include "examples/quickstart/test_program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

namespace quickstart {
namespace {

constexpr const char* program = "examples/quickstart/quickstart";

// Reading and writing end.
std::array<int, 2> open_pipe() {
  std::array<int, 2> ends{};
  EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  return ends;
}

std::array<int, 2> open_terminal() {
  const int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  EXPECT_EQ(grantpt(master), 0);
  EXPECT_EQ(unlockpt(master), 0);
  return {master, open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC)};
}

}  // namespace

PrivateRoot::PrivateRoot() : path_("/dev/shm/weir-quickstart-test.XXXXXX") {
  EXPECT_NE(mkdtemp(path_.data()), nullptr);
  EXPECT_EQ(setenv("WEIR_ROOT", path_.c_str(), 1), 0);
  EXPECT_EQ(setenv("TERM", "xterm", 1), 0);
  EXPECT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);  // what a run leaves behind falls to us
}

PrivateRoot::~PrivateRoot() { std::filesystem::remove_all(path_); }

std::vector<std::string> PrivateRoot::contents() const {
  std::vector<std::string> contents;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path_)) {
    const bool is_root = entry.is_directory() && entry.path().parent_path() == path_;
    if (!is_root) {
      contents.push_back(entry.path());
    }
  }
  return contents;
}

Program::Program(const std::vector<std::string>& arguments, Output output) {
  const auto [read_end, write_end] = output == Output::pipe ? open_pipe() : open_terminal();
  std::vector<std::string> words{program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers(words.size() + 1);  // ends with a null pointer
  std::transform(words.begin(), words.end(), pointers.begin(), [](std::string& word) { return word.data(); });

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, write_end, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, write_end, STDERR_FILENO);
  EXPECT_EQ(posix_spawn(&pid_, program, &actions, &attributes, pointers.data(), environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  close(write_end);
  from_ = read_end;
}

Program::~Program() {
  if (pid_ > 0) {
    signal(SIGKILL);
    end();
  }
  close(from_);
}

bool Program::read_more() {
  std::array<char, 4096> part;
  ssize_t got = 0;
  do {
    got = read(from_, part.data(), part.size());
  } while (got < 0 && errno == EINTR);
  output_.append(part.data(), static_cast<std::size_t>(got > 0 ? got : 0));
  return got > 0;  // a terminal that nobody has open any more is an error to read from
}

bool Program::says(const std::string& text) {
  while (output_.find(text) == std::string::npos) {
    if (!read_more()) {
      return false;
    }
  }
  return true;
}

pid_t Program::pid_of(const std::string& name) {
  const std::string before = name + " (pid ";
  EXPECT_TRUE(says(before) && says(") has joined")) << output_;
  const std::size_t at = output_.find(before);
  return at == std::string::npos ? -1 : std::stoi(output_.substr(at + before.size()));
}

void Program::signal(int number) const { kill(pid_, number); }
void Program::signal_all(int number) const { kill(-pid_, number); }

int Program::end() {
  while (read_more()) {
  }
  int status = 0;
  EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

int reap_all() {
  int reaped = 0;
  while (waitpid(-1, nullptr, 0) > 0) {
    ++reaped;
  }
  return reaped;
}

}  // namespace quickstart
