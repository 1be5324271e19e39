#include "adapters/iceoryx/roudi_process.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include <fmt/format.h>

#include "adapters/iceoryx/limits.h"
#include "adapters/iceoryx/probe.h"

namespace weir::iceoryx {
namespace {

constexpr const char* program = "/usr/bin/iox-roudi";

// Only what a signal handler may: other threads of the parent may have held any lock.
[[noreturn]] void become_roudi(const char* configuration, bool monitors, int log, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  ::setpgid(0, 0);  // a terminal's interrupt is not for it
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nowhere = ::open("/dev/null", O_RDWR);
  ::dup2(nowhere, STDIN_FILENO);
  for (const int standard : {STDOUT_FILENO, STDERR_FILENO}) ::dup2(log < 0 ? nowhere : log, standard);
  ::execl(program, program, "--config-file", configuration, "--log-level", log < 0 ? "off" : "warning",
          "--monitoring-mode", monitors ? "on" : "off", nullptr);
  ::_exit(127);
}

// What a RouDi that was killed leaves. Only for one that is stopped: it holds its lock still, so no other has begun.
void remove_traces() noexcept {
  for (const char* path : {"/tmp/roudi", "/tmp/roudi.lock", "/tmp/iox-unique-roudi.lock", "/dev/shm/iceoryx_mgmt"}) {
    ::unlink(path);
  }
  // The payload segment has the name of the group that may write it.
  if (const group* own = ::getgrgid(::getegid())) ::unlink(fmt::format("/dev/shm/{}", own->gr_name).c_str());
}

int file_in_memory(const std::string& content) {
  const int file = ::memfd_create("roudi.toml", 0);
  if (file >= 0 && ::write(file, content.data(), content.size()) != static_cast<ssize_t>(content.size())) {
    ::close(file);
    return -1;
  }
  return file;
}

}  // namespace

std::string roudi_configuration(const std::vector<Pool>& pools) {
  std::string text = "[general]\nversion = 1\n[[segment]]\n";
  for (const Pool& pool : pools) {
    constexpr std::uint64_t step = 32;  // iceoryx refuses other sizes
    text += fmt::format("[[segment.mempool]]\nsize = {}\ncount = {}\n", (pool.payload + step - 1) / step * step,
                        pool.count);
  }
  return text;
}

Result<std::unique_ptr<RoudiProcess>> RoudiProcess::start(const std::vector<Pool>& pools, bool monitors, int log) {
  if (::access(program, X_OK) != 0) {
    return failure(ErrorCode::not_found,
                   fmt::format("iceoryx: roudi=spawn needs {}: install the package iceoryx", program));
  }
  const int configuration = file_in_memory(roudi_configuration(pools));
  if (configuration < 0) {
    return failure(ErrorCode::resource_exhausted, fmt::format("iceoryx: memfd_create: {}", std::strerror(errno)));
  }
  std::unique_ptr<RoudiProcess> roudi(new RoudiProcess);
  roudi->keeper_ =
      std::thread([raw = roudi.get(), configuration, monitors, log] { raw->keep(configuration, monitors, log); });
  {
    std::unique_lock lock(roudi->mutex_);
    roudi->changed_.wait(lock, [&] { return roudi->started_; });
  }
  auto probe = Probe::create();
  if (!probe) return tl::unexpected(probe.error());
  const Deadline deadline = after(start_limit);
  while ((*probe)->wait(after(std::chrono::milliseconds(20))) != Probe::Answer::answered) {
    if (!roudi->alive() || passed(deadline)) {
      return failure(
          ErrorCode::unavailable,
          "iceoryx: a RouDi that was started did not come up: another may be starting, or /dev/shm may be too "
          "small for its pools (options max_payload and memory)");
    }
  }
  return roudi;
}

void RoudiProcess::keep(int configuration, bool monitors, int log) {
  const std::string path = fmt::format("/proc/self/fd/{}", configuration);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) become_roudi(path.c_str(), monitors, log, parent);
  ::close(configuration);
  std::unique_lock lock(mutex_);
  pid_ = child;
  started_ = true;
  changed_.notify_all();
  changed_.wait(lock, [&] { return ending_; });
  if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == 0) {
    ::kill(pid_, SIGSTOP);
    int status = 0;
    ::waitpid(pid_, &status, WUNTRACED);
    remove_traces();
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

bool RoudiProcess::alive() {
  const std::lock_guard lock(mutex_);
  siginfo_t ended{};
  return pid_ > 0 && ::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         ended.si_pid == 0;
}

RoudiProcess::~RoudiProcess() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    changed_.notify_all();
  }
  if (keeper_.joinable()) keeper_.join();
}

}  // namespace weir::iceoryx
