#include "examples/quickstart/child_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "examples/quickstart/command_line.h"

namespace quickstart {
namespace {

// The attributes and file actions of posix_spawn, which must be destroyed.
struct SpawnSettings {
  SpawnSettings() {
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&actions);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }

  // All descriptors of the conductor close at exec, except those that are named here: duplicating one onto itself
  // clears that flag in the child alone.
  void inherit(int descriptor) { posix_spawn_file_actions_adddup2(&actions, descriptor, descriptor); }

  // The signals that the conductor has set aside are as usual in the child.
  void reset_signals() {
    sigset_t none;
    sigset_t ignored;
    sigemptyset(&none);
    sigemptyset(&ignored);
    sigaddset(&ignored, SIGPIPE);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &ignored);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }

  posix_spawnattr_t attributes{};
  posix_spawn_file_actions_t actions{};
};

const char* remedy_to_start(int error) {
  switch (error) {
    case EAGAIN:
      return "end other processes, or raise their limit (ulimit -u, a container's pids.max)";
    case ENOMEM:
      return "free memory, or raise its limit (ulimit -v, a container's memory.max)";
    case EMFILE:
      return "raise the limit of descriptors (ulimit -n)";
    case ENFILE:
      return "the machine has no descriptor left: raise fs.file-max";
    default:
      return "mount /proc, and let this user run this program";
  }
}

tl::unexpected<weir::Error> cannot_start(const Task& task, int error) {
  return weir::failure(
      weir::ErrorCode::resource_exhausted,
      fmt::format("cannot start the process \"{}\": {}: {}", task.name, std::strerror(error), remedy_to_start(error)));
}

}  // namespace

weir::Result<ChildProcess> ChildProcess::start(Task task) {
  std::array<int, 2> reports{};   // read here, written there
  std::array<int, 2> commands{};  // the other way round
  if (pipe2(reports.data(), O_CLOEXEC) != 0) {
    return cannot_start(task, errno);
  }
  if (pipe2(commands.data(), O_CLOEXEC) != 0) {
    const int error = errno;
    close(reports[0]);
    close(reports[1]);
    return cannot_start(task, error);
  }
  task.reports = reports[1];
  task.commands = commands[0];
  task.conductor = getpid();

  std::vector<std::string> words = words_for(task);
  words.insert(words.begin(), "quickstart");
  std::vector<char*> arguments(words.size() + 1);  // ends with a null pointer
  std::transform(words.begin(), words.end(), arguments.begin(), [](std::string& word) { return word.data(); });

  SpawnSettings settings;
  for (const int descriptor : {task.source, task.reports, task.commands}) {
    settings.inherit(descriptor);
  }
  settings.reset_signals();
  pid_t pid = 0;
  const int error =
      posix_spawn(&pid, "/proc/self/exe", &settings.actions, &settings.attributes, arguments.data(), environ);
  close(reports[1]);
  close(commands[0]);
  if (error != 0) {
    close(reports[0]);
    close(commands[1]);
    return cannot_start(task, error);
  }
  return ChildProcess(pid, reports[0], commands[1]);
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      reports_(std::exchange(other.reports_, -1)),
      commands_(std::exchange(other.commands_, -1)),
      reaped_(other.reaped_),
      status_(other.status_) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(reports_, other.reports_);
  std::swap(commands_, other.commands_);
  std::swap(reaped_, other.reaped_);
  std::swap(status_, other.status_);
  return *this;
}

ChildProcess::~ChildProcess() {
  if (pid_ < 0) {
    return;
  }
  kill();
  reap();
  close(reports_);
  close(commands_);
}

void ChildProcess::go() const noexcept {
  // If it is gone, its reports end, and that says so.
  while (write(commands_, "g", 1) < 0 && errno == EINTR) {
  }
}

void ChildProcess::kill() const noexcept {
  if (!reaped_) {
    ::kill(pid_, SIGKILL);
  }
}

bool ChildProcess::reap() {
  while (!reaped_) {
    reaped_ = waitpid(pid_, &status_, 0) == pid_ || errno != EINTR;
  }
  return WIFEXITED(status_) && WEXITSTATUS(status_) == 0;
}

std::string ChildProcess::how_it_ended() const {
  if (WIFSIGNALED(status_)) {
    return fmt::format("was killed by signal {} ({})", WTERMSIG(status_), strsignal(WTERMSIG(status_)));
  }
  return fmt::format("exited with status {}", WEXITSTATUS(status_));
}

void die_with(pid_t conductor) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != conductor) {
    _exit(1);  // it died before the line above
  }
  signal(SIGINT, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
}

void adopt_orphans() { prctl(PR_SET_CHILD_SUBREAPER, 1); }

bool has_children() {
  siginfo_t child{};
  return waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) == 0;
}

}  // namespace quickstart
