#include "adapters/iceoryx/testing/program.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>

namespace weir::iceoryx {
namespace {

constexpr int patience_milliseconds = 60'000;

// The file that is mapped at `address` of a process.
std::string file_at(pid_t process, std::uint64_t address) {
  std::ifstream maps(fmt::format("/proc/{}/maps", process));
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    char dash = 0;
    std::string word;
    words >> std::hex >> begin >> dash >> end;
    if (address < begin || address >= end) continue;
    while (words >> word) {
    }
    return word;  // the last: the file
  }
  return "nothing";
}

}  // namespace

Program::Program(const std::string& path, const std::vector<std::string>& arguments) : path_(path) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
  std::vector<char*> words{const_cast<char*>(path_.c_str())};
  for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::setpgid(0, 0);
    ::dup2(ends[1], STDOUT_FILENO);
    ::execv(words[0], words.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  output_ = ends[0];
}

Program::~Program() {
  kill();
  ::close(output_);
}

std::string Program::next_line() {
  while (true) {
    if (const std::size_t end = pending_.find('\n'); end != std::string::npos) {
      std::string line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      return line;
    }
    pollfd polled{output_, POLLIN, 0};
    if (::poll(&polled, 1, patience_milliseconds) == 0) {
      throw Silence(fmt::format("{} says nothing more; it said:\n{}", path_, said_));
    }
    std::array<char, 4096> buffer{};
    const ssize_t size = ::read(output_, buffer.data(), buffer.size());
    if (size <= 0) {
      silent_ = true;
      return {};
    }
    pending_.append(buffer.data(), static_cast<std::size_t>(size));
    said_.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

std::chrono::nanoseconds Program::processor_time() const {
  clockid_t clock{};
  timespec used{};
  if (::clock_getcpuclockid(pid_, &clock) != 0 || ::clock_gettime(clock, &used) != 0) {
    throw std::runtime_error(fmt::format("{} has no processor time to tell: it has ended", path_));
  }
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

std::set<std::string> Program::code_at_work(int looks) const {
  std::set<std::string> files;
  for (int look = 0; look < looks; ++look) {
    int status = 0;
    user_regs_struct registers{};
    const bool seen = ::ptrace(PTRACE_SEIZE, pid_, nullptr, nullptr) == 0 &&
                      ::ptrace(PTRACE_INTERRUPT, pid_, nullptr, nullptr) == 0 &&
                      ::waitpid(pid_, &status, __WALL) == pid_ && WIFSTOPPED(status) &&
                      ::ptrace(PTRACE_GETREGS, pid_, nullptr, &registers) == 0;
    ::ptrace(PTRACE_DETACH, pid_, nullptr, nullptr);
    if (!seen) throw std::runtime_error(fmt::format("{} cannot be looked at", path_));
    files.insert(file_at(pid_, registers.rip));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // so that it is somewhere else
  }
  return files;
}

std::string Program::expect(std::string_view text) {
  while (true) {
    std::string line = next_line();
    if (line.find(text) != std::string::npos) return line;
    if (silent_) {
      throw std::runtime_error(fmt::format("{} ended and did not say \"{}\"; it said:\n{}", path_, text, said_));
    }
  }
}

void Program::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

void Program::kill() {
  if (pid_ <= 0) return;
  ::kill(-pid_, SIGKILL);  // with its children, if it is a shell
  signal(SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void Program::kill_asleep() {
  const std::string sleeping = fmt::format("{} ", SYS_clock_nanosleep);
  const auto sleeps = [&] {
    std::string call;
    std::getline(std::ifstream(fmt::format("/proc/{}/syscall", pid_)), call);
    if (call.empty()) throw std::runtime_error(fmt::format("{} has ended, or may not be looked at", path_));
    return call.starts_with(sleeping);
  };
  for (bool asleep = false; !asleep;) {
    while (!sleeps()) ::sched_yield();
    // It may have gone on since; stopped, it cannot.
    signal(SIGSTOP);
    siginfo_t stopped{};
    ::waitid(P_PID, static_cast<id_t>(pid_), &stopped, WSTOPPED);
    asleep = sleeps();
    if (!asleep) signal(SIGCONT);
  }
  kill();
}

std::string Program::end() {
  signal(SIGTERM);
  return ending();
}

std::string Program::ending() {
  while (!silent_) (void)next_line();
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  if (WIFSIGNALED(status))
    return fmt::format("{} was ended by signal {}; it said:\n{}", path_, WTERMSIG(status), said_);
  return WEXITSTATUS(status) == 0 ? std::string()
                                  : fmt::format("{} exited with {}; it said:\n{}", path_, WEXITSTATUS(status), said_);
}

}  // namespace weir::iceoryx
