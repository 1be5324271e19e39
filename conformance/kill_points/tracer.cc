#include "conformance/kill_points/tracer.h"

#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <memory>

#include "conformance/harness/failure.h"

namespace weir::conformance {
namespace {

// Waits until the process is stopped. False: it has ended, which is left for its parent's own wait to find.
bool wait_for_stop(pid_t process, int& status) {
  siginfo_t how{};
  while (waitid(P_PID, static_cast<id_t>(process), &how, WSTOPPED | WEXITED | WNOWAIT | __WALL) != 0) {
    if (errno != EINTR) return false;
  }
  if (how.si_code != CLD_TRAPPED && how.si_code != CLD_STOPPED) return false;
  return waitpid(process, &status, __WALL) == process && WIFSTOPPED(status);
}

// Where this thread runs now the process is to run too. Returns what this thread could run on before; null, nothing was
// done, where that is not allowed.
const cpu_set_t* pin_together(pid_t process) {
  auto before = std::make_unique<cpu_set_t>();
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(static_cast<std::size_t>(sched_getcpu()), &here);
  const bool is_done = sched_getaffinity(0, sizeof(cpu_set_t), before.get()) == 0 &&
                       sched_setaffinity(process, sizeof(here), &here) == 0 &&
                       sched_setaffinity(0, sizeof(here), &here) == 0;
  return is_done ? before.release() : nullptr;
}

}  // namespace

void Tracer::Unpin::operator()(const cpu_set_t* before) const noexcept {
  sched_setaffinity(0, sizeof(*before), before);
  delete before;
}

std::optional<Tracer> Tracer::attach(pid_t process, Points points) {
  if (ptrace(PTRACE_SEIZE, process, nullptr, PTRACE_O_TRACESYSGOOD) != 0) return std::nullopt;
  int status = 0;
  if (ptrace(PTRACE_INTERRUPT, process, nullptr, nullptr) != 0 || !wait_for_stop(process, status)) {
    throw_system_failure("stopping a peer by ptrace");
  }
  Tracer tracer(process, points);
  tracer.pinned_.reset(pin_together(process));
  if (points == Points::stores) tracer.image_.emplace(process);
  return tracer;
}

bool Tracer::step() {
  const auto how = points_ == Points::stores ? PTRACE_SINGLESTEP : PTRACE_SYSCALL;
  int signal = 0;
  while (true) {
    if (ptrace(how, process_, nullptr, signal) != 0) return false;
    int status = 0;
    if (!wait_for_stop(process_, status)) return false;
    signal = WSTOPSIG(status);
    // Stops of our own making; other signals are the process's, and are handed on.
    if (signal == SIGTRAP || signal == (SIGTRAP | 0x80) || status >> 16U != 0) return true;
  }
}

bool Tracer::before_system_call() const {
#if defined(__x86_64__)
  constexpr unsigned long instruction = 0x050f;  // syscall
  user_regs_struct registers{};
  if (ptrace(PTRACE_GETREGS, process_, nullptr, &registers) != 0) return false;
  errno = 0;
  const long code = ptrace(PTRACE_PEEKTEXT, process_, registers.rip, nullptr);
  return errno == 0 && (static_cast<unsigned long>(code) & 0xffffU) == instruction;
#else
  return false;  // then stores alone are points
#endif
}

bool Tracer::go_to_next(const std::function<bool()>& done) {
  bool was_before_call = points_ == Points::stores && before_system_call();
  while (!done()) {
    if (!step()) return false;
    if (points_ == Points::system_calls) return true;
    if (was_before_call || before_system_call()) return true;
    if (image_->changed()) return true;
    was_before_call = false;
  }
  return false;
}

}  // namespace weir::conformance
