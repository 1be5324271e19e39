#include "conformance/harness/performer.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "conformance/harness/actor.h"
#include "conformance/harness/failure.h"

namespace weir::conformance {
namespace {

constexpr std::string_view peer_flag = "--weir-conformance-peer=";

struct SocketPair {
  int ours;
  int theirs;
};

SocketPair make_sockets() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) throw_system_failure("socketpair");
  return {ends[0], ends[1]};
}

class ProcessPerformer : public Performer {
 public:
  explicit ProcessPerformer(const EventLog& log) : ProcessPerformer(make_sockets(), log) {}
  ~ProcessPerformer() override {
    if (process_ > 0) {
      kill_at_once();
      while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {  // not wait_for(): a destructor must not throw
      }
    }
    if (socket_ >= 0) ::close(socket_);
  }

  pid_t process() const noexcept override { return process_; }

  void kill() override {
    kill_at_once();
    wait_for(0);
    process_ = 0;
    killed_ = true;
  }
  void kill_unreaped() override {
    kill_at_once();
    siginfo_t how{};
    while (waitid(P_PID, static_cast<id_t>(process_), &how, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
    }
    killed_ = true;
  }
  void stop() override { signal_and_wait(SIGSTOP, WUNTRACED); }
  void go_on() override { signal_and_wait(SIGCONT, WCONTINUED); }
  void kill_at_once() noexcept override {
    // Read once: the test's own thread may set it to 0 meanwhile, and a kill of 0 is one of our whole group.
    if (const pid_t process = process_; process > 0) ::kill(process, SIGKILL);
  }

  std::string finish() override {
    // A test that came to an early end may have left it stopped. Not later: a leak checker stops its own process at the
    // end, and would wait for ever for a stop that this took back.
    if (process_ > 0) ::kill(process_, SIGCONT);
    ::close(std::exchange(socket_, -1));
    if (process_ <= 0) return {};
    const int status = wait_for(0);
    process_ = 0;
    if (killed_ || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) return {};
    if (WIFSIGNALED(status))
      return fmt::format("was ended by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
    return fmt::format("ended with status {}", WEXITSTATUS(status));
  }

 private:
  ProcessPerformer(SocketPair sockets, const EventLog& log) : Performer(sockets.ours) {
    // All that allocates comes before the fork: the child of a process with threads may only do so much.
    const std::string flag = fmt::format("{}{},{}", peer_flag, sockets.theirs, log.descriptor());
    std::array<char, 32> program{"/proc/self/exe"};
    std::array<char*, 3> arguments{program.data(), const_cast<char*>(flag.c_str()), nullptr};
    const pid_t parent = getpid();
    process_ = fork();  // NOLINT(cppcoreguidelines-prefer-member-initializer)
    if (process_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != parent) _exit(1);  // it died before the line above
      fcntl(sockets.theirs, F_SETFD, 0);
      fcntl(log.descriptor(), F_SETFD, 0);
      execv(program.data(), arguments.data());
      _exit(127);
    }
    const int fault = errno;
    ::close(sockets.theirs);
    if (process_ < 0) {
      errno = fault;
      throw_system_failure("fork");
    }
  }

  int wait_for(int flags) {
    int status = 0;
    while (waitpid(process_, &status, flags) < 0) {
      if (errno != EINTR) throw_system_failure("waitpid");
    }
    return status;
  }

  void signal_and_wait(int signal, int flags) {
    if (::kill(process_, signal) != 0) throw_system_failure("kill");
    const int status = wait_for(flags);
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      process_ = 0;
      throw HarnessFailure(
          fmt::format("the peer was to be sent signal {}, but it has ended (status {:#x})", signal, status));
    }
  }

  std::atomic<pid_t> process_ = -1;
  bool killed_ = false;
};

class ThreadPerformer : public Performer {
 public:
  explicit ThreadPerformer(std::shared_ptr<EventLog> log) : ThreadPerformer(make_sockets(), std::move(log)) {}
  ~ThreadPerformer() override {
    if (thread_.joinable()) finish();
  }

  pid_t process() const noexcept override { return getpid(); }
  void kill() override { refuse(); }
  void kill_unreaped() override { refuse(); }
  void stop() override { refuse(); }
  void go_on() override { refuse(); }
  void kill_at_once() noexcept override {}

  std::string finish() override {
    ::close(std::exchange(socket_, -1));
    thread_.join();
    return {};
  }

 private:
  ThreadPerformer(SocketPair sockets, std::shared_ptr<EventLog> log)
      : Performer(sockets.ours), thread_([end = sockets.theirs, log = std::move(log)] {
          serve(end, log);
          ::close(end);
        }) {}

  [[noreturn]] static void refuse() {
    throw HarnessFailure("a thread can be neither killed nor stopped: the test needs feature::processes");
  }

  std::thread thread_;
};

}  // namespace

std::unique_ptr<Performer> Performer::start(Home home, const std::shared_ptr<EventLog>& log) {
  if (home == Home::thread) return std::make_unique<ThreadPerformer>(log);
  return std::make_unique<ProcessPerformer>(*log);
}

bool peer_main(int argc, char** argv) {
  if (argc != 2 || !std::string_view(argv[1]).starts_with(peer_flag)) return false;
  const std::string_view numbers = std::string_view(argv[1]).substr(peer_flag.size());
  int socket = -1;
  int log = -1;
  const auto [comma, fault] = std::from_chars(numbers.data(), numbers.data() + numbers.size(), socket);
  if (fault != std::errc{} || std::from_chars(comma + 1, numbers.data() + numbers.size(), log).ec != std::errc{}) {
    return false;
  }
  fcntl(socket, F_SETFD, FD_CLOEXEC);
  serve(socket, EventLog::attach(log));
  return true;
}

}  // namespace weir::conformance
