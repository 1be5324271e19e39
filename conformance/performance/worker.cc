#include "conformance/performance/worker.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <sstream>

#include <fmt/format.h>

namespace weir::performance {
namespace {

constexpr char result_mark = '=';
constexpr char error_mark = '!';

Error system_failure(std::string_view what) {
  return {ErrorCode::internal, fmt::format("{}: {}", what, std::strerror(errno))};
}

void write_all(int descriptor, const std::string& text) noexcept {
  // Shorter than a pipe holds, so it is written at once; or nobody reads any
  // more.
  [[maybe_unused]] const ssize_t written = write(descriptor, text.data(), text.size());
}

std::string outcome_of(const std::function<Measurement()>& work) noexcept {
  try {
    const Measurement measurement = work();
    std::string text = result_mark + fmt::format("{}", measurement.figure);
    for (const double time : measurement.spread) {
      text += fmt::format(" {}", time);
    }
    return text;
  } catch (const std::exception& thrown) {
    return error_mark + std::string(thrown.what());
  }
}

}  // namespace

Worker::~Worker() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    reap();
  }
  if (pipe_ >= 0) {
    close(pipe_);
  }
}

Status Worker::start(const std::function<Measurement()>& work, bool may_be_killed) {
  may_be_killed_ = may_be_killed;
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
    // What the parent does on these it does for its children too, by ending
    // them.
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_DFL);
    write_all(ends[1], outcome_of(work));
    _exit(0);
  }
  close(ends[1]);
  return pid_ > 0 ? Status() : tl::unexpected(system_failure("starting a process"));
}

bool Worker::receive() {
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
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && may_be_killed_) {
    outcome_ = result_mark;
  } else if (outcome_.empty()) {
    outcome_ = error_mark + (WIFSIGNALED(status) ? fmt::format("killed by signal {} ({})", WTERMSIG(status),
                                                               strsignal(WTERMSIG(status)))
                                                 : fmt::format("ended with status {} and no word", status));
  }
  return true;
}

bool Worker::has_failed() const noexcept { return outcome_.starts_with(error_mark); }

Measurement Worker::measurement() const {
  std::istringstream words{std::string(text())};
  Measurement measurement;
  words >> measurement.figure;
  for (double time = 0; words >> time;) {
    measurement.spread.push_back(time);
  }
  return measurement;
}

int Worker::reap() noexcept {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return status;
}

}  // namespace weir::performance
