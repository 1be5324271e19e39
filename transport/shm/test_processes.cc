#include "transport/shm/test_processes.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "transport/status.h"

namespace weir::shm::testing {
namespace {

constexpr int watchdog_milliseconds = 60'000;
constexpr int inconclusive = 77;

// What the machine refuses to the test itself is no finding about weir, and must end the test.
[[noreturn]] void run_and_exit(const std::function<bool()>& body) {
  bool good = false;
  try {
    good = body();
  } catch (const std::exception& thrown) {
    ADD_FAILURE() << "exception in a child: " << thrown.what();
  }
  good = good && !::testing::Test::HasFailure();
  std::fflush(nullptr);
  _exit(good ? 0 : 1);
}

pid_t fork_child(const std::function<void()>& run) {
  std::fflush(nullptr);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // 0: the parent is outside of this PID namespace.
    if (getppid() != parent && getppid() != 0) _exit(inconclusive);
    run();
    _exit(inconclusive);
  }
  require(child > 0, "fork");
  return child;
}

int wait_status(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

// A traced child that has stopped before the first instruction of `run`.
pid_t trace_child(const std::function<void()>& run) {
  const pid_t child = fork_child([&] {
    require(ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0, "ptrace is forbidden on this machine");
    raise(SIGSTOP);
    run();
  });
  const int status = wait_status(child);
  require(WIFSTOPPED(status), "a traced child did not stop");
  ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
  return child;
}

bool is_at_system_call(int status) { return WIFSTOPPED(status) && WSTOPSIG(status) == (SIGTRAP | 0x80); }

// Lets the child run to its next system call, or the end of one; false when it has ended.
bool step(pid_t child, int& status) {
  int signal = 0;
  do {
    ptrace(PTRACE_SYSCALL, child, nullptr, signal);
    status = wait_status(child);
    signal = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
  } while (WIFSTOPPED(status) && !is_at_system_call(status));
  return WIFSTOPPED(status);
}

std::string make_directory() {
  std::string path = "/dev/shm/weir-test-XXXXXX";
  require(mkdtemp(path.data()) != nullptr, "making a directory in /dev/shm");
  return path;
}

// Lets it pass `stops` system calls, or ends of one, and stop at the next; false when it has ended.
bool run_to_stop(pid_t child, int stops, int& status) {
  bool alive = true;
  for (int stop = 0; alive && stop <= stops; ++stop) alive = step(child, status);
  return alive;
}

bool ended_well(int status) { return WIFEXITED(status) && WEXITSTATUS(status) == 0; }

void write_file(const char* path, const std::string& text) {
  const int descriptor = open(path, O_WRONLY | O_CLOEXEC);
  static_cast<void>(!write(descriptor, text.data(), text.size()));
  close(descriptor);
}

}  // namespace

void require(bool condition, const char* what) {
  if (condition) return;
  const std::string text = fmt::format("INCONCLUSIVE: {}: {}\n", what, std::strerror(errno));
  static_cast<void>(!write(STDERR_FILENO, text.data(), text.size()));
  _exit(inconclusive);
}

void enter_private_mounts() {
  const uid_t user = geteuid();
  const gid_t group = getegid();
  if (unshare(CLONE_NEWNS) != 0) {
    require(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0, "mount namespaces are forbidden on this machine");
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", fmt::format("{} {} 1", user, user));
    write_file("/proc/self/gid_map", fmt::format("{} {} 1", group, group));
  }
  require(mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr) == 0, "making mounts private");
}

TemporaryRoot::TemporaryRoot()
    : path_(make_directory()), descriptor_(open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  require(descriptor_ >= 0, "opening a directory in /dev/shm");
}

TemporaryRoot::~TemporaryRoot() {
  close(descriptor_);
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Signal::Signal() {
  std::array<int, 2> ends{};
  require(pipe2(ends.data(), O_CLOEXEC) == 0, "pipe");
  read_ = ends[0];
  write_ = ends[1];
}

Signal::~Signal() {
  close(read_);
  if (write_ >= 0) close(write_);
}

void Signal::give() const { EXPECT_EQ(write(write_, "!", 1), 1); }

bool Signal::await() {
  if (write_ >= 0) close(std::exchange(write_, -1));
  pollfd ready{.fd = read_, .events = POLLIN, .revents = 0};
  int count = 0;
  while ((count = poll(&ready, 1, watchdog_milliseconds)) < 0 && errno == EINTR) {
  }
  EXPECT_EQ(count, 1) << "nothing happened for a minute";
  char byte = 0;
  return count == 1 && read(read_, &byte, 1) == 1;
}

Child::Child(const std::function<bool()>& body) : pid_(fork_child([&] { run_and_exit(body); })) {}

Child::~Child() { kill_and_reap(); }

void Child::kill_and_reap() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  wait_status(std::exchange(pid_, -1));
}

bool Child::succeeded() {
  if (pid_ <= 0) return false;
  return ended_well(wait_status(std::exchange(pid_, -1)));
}

void in_private_mounts(const std::function<void()>& body) {
  Child child([&] {
    enter_private_mounts();
    body();
    return true;
  });
  EXPECT_TRUE(child.succeeded()) << "see above: an expectation failed in private mounts, or they could not be made";
}

void mount_tmpfs(const std::string& path, const std::string& options) {
  require(mount("tmpfs", path.c_str(), "tmpfs", 0, options.c_str()) == 0, "mounting a tmpfs");
}

void remount_read_only(const std::string& path) {
  require(mount(nullptr, path.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) == 0, "remounting read-only");
}

int kill_at_each_system_call(const KillPlan& plan) {
  for (int kills = 0;; ++kills) {
    plan.prepare();
    const auto body = [&] {
      plan.body();
      return true;
    };
    const pid_t child = trace_child([&] { run_and_exit(body); });
    int status = 0;
    const bool alive = run_to_stop(child, kills, status);
    if (alive) {
      kill(child, SIGKILL);
      wait_status(child);
    } else {
      EXPECT_TRUE(ended_well(status)) << "the run without a kill failed";
    }
    plan.judge();
    if (::testing::Test::HasFailure()) ADD_FAILURE() << "after a kill at stop " << kills;
    if (!alive || ::testing::Test::HasFailure()) return kills;
  }
}

int interrupt_at_each_system_call(const InterruptionPlan& plan) {
  for (int interruptions = 0;; ++interruptions) {
    plan.prepare();
    const pid_t child = trace_child([&] { run_and_exit(plan.body); });
    int status = 0;
    const bool alive = run_to_stop(child, interruptions, status);
    if (alive) {
      plan.meanwhile();
      while (step(child, status)) {
      }
    }
    EXPECT_TRUE(ended_well(status)) << "what was interrupted failed";
    plan.judge();
    if (::testing::Test::HasFailure()) ADD_FAILURE() << "after an interruption at stop " << interruptions;
    if (!alive || ::testing::Test::HasFailure()) return interruptions;
  }
}

bool at_system_call(long number, const std::function<bool()>& body, const std::function<void()>& meanwhile) {
  const pid_t child = trace_child([&] { run_and_exit(body); });
  int status = 0;
  bool met = false;
  while (step(child, status)) {
    __ptrace_syscall_info info{};
    require(ptrace(static_cast<__ptrace_request>(PTRACE_GET_SYSCALL_INFO), child, sizeof(info), &info) > 0,
            "this kernel does not tell of system calls");
    if (!met && info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr == static_cast<unsigned long>(number)) {
      met = true;
      meanwhile();
    }
  }
  return met && ended_well(status);
}

void sleep_no_more() {
  std::array<sock_filter, 4> program{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_nanosleep, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO),  // with 0: it has slept
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog filter{.len = program.size(), .filter = program.data()};
  require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0,
          "seccomp filters are forbidden on this machine");
}

bool give_to_somebody_else(const std::string& path) {
  if (chown(path.c_str(), 12345, 12345) == 0) return true;
  for (const char* foreign : {"/usr", "/var/cache/man", "/var/lib/apt/lists/auxfiles"}) {
    struct stat status {};
    if (stat(foreign, &status) == 0 && status.st_uid != geteuid() && access(foreign, R_OK | X_OK) == 0 &&
        mount(foreign, path.c_str(), nullptr, MS_BIND, nullptr) == 0) {
      return true;
    }
  }
  return false;
}

DescriptorLimit::DescriptorLimit(int count) {
  // UBSan needs descriptors to judge an object's type when it meets it first, so it meets an Error's before.
  static_cast<void>(Error(ErrorCode::internal, "met"));
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  before_ = limit.rlim_cur;
  // The limit is on the number of a descriptor, so the gaps below count too.
  int free = 0;
  rlim_t number = 0;
  for (; number < before_ && free < count; ++number) {
    if (fcntl(static_cast<int>(number), F_GETFD) < 0) ++free;
  }
  while (number < before_ && fcntl(static_cast<int>(number), F_GETFD) >= 0) ++number;
  limit.rlim_cur = number;
  setrlimit(RLIMIT_NOFILE, &limit);
}

DescriptorLimit::~DescriptorLimit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = before_;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int open_descriptors() {
  DIR* listing = opendir("/proc/self/fd");
  require(listing != nullptr, "listing /proc/self/fd");
  int count = -3;  // ".", ".." and the listing's own
  while (readdir(listing) != nullptr) ++count;
  closedir(listing);
  return count;
}

}  // namespace weir::shm::testing
