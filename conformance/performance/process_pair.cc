#include "conformance/performance/process_pair.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <fstream>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace weir::performance {
namespace {

constexpr char figure_mark = '=';
constexpr char error_mark = '!';

Error system_failure(std::string_view what) {
  return {ErrorCode::internal, fmt::format("{}: {}", what, std::strerror(errno))};
}

bool pin_to(int processor) noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(processor), &set);
  return sched_setaffinity(0, sizeof(set), &set) == 0;
}

// What tells two cores apart; two threads of one core have the same.
std::string core_of(int processor) {
  std::string core;
  for (const std::string_view part : {"physical_package_id", "core_id"}) {
    std::ifstream file(fmt::format("/sys/devices/system/cpu/cpu{}/topology/{}", processor, part));
    std::string text;
    std::getline(file, text);
    core += text + '/';
  }
  return core;
}

void write_all(int descriptor, const std::string& text) noexcept {
  // A pipe that nobody reads any more: the parent has given this measurement up.
  [[maybe_unused]] const ssize_t written = write(descriptor, text.data(), text.size());
}

// A forked child with a role, and the pipe that its outcome comes through.
class Process {
 public:
  Process() = default;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      reap();
    }
    if (pipe_ >= 0) {
      close(pipe_);
    }
  }

  template <class Role>
  Status start(std::optional<int> processor, Role role) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
      return tl::unexpected(system_failure("making a pipe to a process"));
    }
    pipe_ = ends[0];
    const pid_t parent = getpid();
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != parent) {
        _exit(1);
      }
      // What the parent does on these it does for its children too, by ending them.
      signal(SIGINT, SIG_IGN);
      signal(SIGTERM, SIG_DFL);
      write_all(ends[1], outcome_of(processor, role));
      _exit(0);
    }
    close(ends[1]);
    return pid_ > 0 ? Status() : tl::unexpected(system_failure("starting a process"));
  }

  [[nodiscard]] int descriptor() const noexcept { return pipe_; }

  // Takes what has come through the pipe. True at its end, which is that of the process.
  bool receive() {
    std::array<char, 4096> buffer{};
    const ssize_t size = read(pipe_, buffer.data(), buffer.size());
    if (size > 0) {
      outcome_.append(buffer.data(), static_cast<std::size_t>(size));
      return false;
    }
    if (size < 0 && errno == EINTR) {
      return false;
    }
    const int status = reap();
    if (outcome_.empty()) {
      outcome_ = error_mark + (WIFSIGNALED(status) ? fmt::format("killed by signal {} ({})", WTERMSIG(status),
                                                                 strsignal(WTERMSIG(status)))
                                                   : fmt::format("ended with status {} and no word", status));
    }
    return true;
  }

  [[nodiscard]] bool has_failed() const noexcept { return outcome_.starts_with(error_mark); }
  [[nodiscard]] std::string_view text() const noexcept { return std::string_view(outcome_).substr(1); }

 private:
  template <class Role>
  static std::string outcome_of(std::optional<int> processor, Role role) noexcept {
    try {
      if (processor && !pin_to(*processor)) {
        return error_mark + fmt::format("pinning to processor {}: {}", *processor, std::strerror(errno));
      }
      return figure_mark + fmt::format("{}", role());
    } catch (const std::exception& thrown) {
      return error_mark + std::string(thrown.what());
    }
  }

  int reap() noexcept {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

  pid_t pid_ = -1;
  int pipe_ = -1;
  std::string outcome_;
};

// Waits for both, or for the failure of one.
Status await(std::array<Process, 2>& pair, std::chrono::seconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::array<pollfd, 2> pipes{};
  for (std::size_t side = 0; side < pair.size(); ++side) {
    pipes[side] = {.fd = pair[side].descriptor(), .events = POLLIN, .revents = 0};
  }
  while (std::any_of(pipes.begin(), pipes.end(), [](const pollfd& pipe) { return pipe.fd >= 0; })) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      return failure(ErrorCode::timed_out, fmt::format("the two processes were not done after {} s", patience.count()));
    }
    if (poll(pipes.data(), pipes.size(), static_cast<int>(left.count())) < 0) {
      return errno == EINTR ? failure(ErrorCode::interrupted, "interrupted by a signal")
                            : tl::unexpected(system_failure("waiting for two processes"));
    }
    for (std::size_t side = 0; side < pair.size(); ++side) {
      if (pipes[side].fd >= 0 && pipes[side].revents != 0 && pair[side].receive()) {
        pipes[side].fd = -1;  // poll(2) leaves such entries out
        if (pair[side].has_failed()) {
          return failure(ErrorCode::internal,
                         fmt::format("the {} process: {}", side == 0 ? "measuring" : "opposite", pair[side].text()));
        }
      }
    }
  }
  return {};
}

}  // namespace

Placement find_placement() {
  cpu_set_t before;
  CPU_ZERO(&before);
  if (sched_getaffinity(0, sizeof(before), &before) != 0) {
    return {.processors = {}, .text = fmt::format("not pinned: sched_getaffinity: {}", std::strerror(errno))};
  }
  std::vector<int> allowed;
  for (int processor = 0; processor < CPU_SETSIZE; ++processor) {
    if (CPU_ISSET(static_cast<std::size_t>(processor), &before)) {
      allowed.push_back(processor);
    }
  }
  if (allowed.size() < 2) {
    return {.processors = {},
            .text = "not pinned: there is one processor, so figures of two processes are those of the scheduler"};
  }
  const std::string core = core_of(allowed.front());
  const auto other =
      std::find_if(allowed.begin() + 1, allowed.end(), [&](int processor) { return core_of(processor) != core; });
  const bool shared = other == allowed.end();
  const std::array<int, 2> chosen{allowed.front(), shared ? allowed[1] : *other};
  const bool possible = pin_to(chosen[0]) && pin_to(chosen[1]);
  const int reason = errno;
  sched_setaffinity(0, sizeof(before), &before);
  if (!possible) {
    return {.processors = {}, .text = fmt::format("not pinned: sched_setaffinity: {}", std::strerror(reason))};
  }
  return {.processors = chosen,
          .text = fmt::format("pinned to processors {} and {}{}", chosen[0], chosen[1],
                              shared ? ", two threads of one core" : "")};
}

Result<double> run_pair(const Roles& roles, const Placement& placement, std::chrono::seconds patience) {
  const auto processor = [&](std::size_t side) {
    return placement.processors ? std::optional((*placement.processors)[side]) : std::nullopt;
  };
  std::array<Process, 2> pair;
  Status outcome = pair[0].start(processor(0), roles.measure);
  if (outcome) {
    outcome = pair[1].start(processor(1), [&] {
      roles.oppose();
      return 0.0;
    });
  }
  if (outcome) {
    outcome = await(pair, patience);
  }
  if (!outcome) {
    return tl::unexpected(outcome.error());
  }
  return std::stod(std::string(pair[0].text()));
}

}  // namespace weir::performance
