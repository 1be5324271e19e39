#include "conformance/performance/crew.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "conformance/performance/pinning.h"
#include "conformance/performance/worker.h"

namespace weir::performance {
namespace {

std::string name_of(std::size_t role, std::size_t roles) {
  if (role == 0) {
    return "measuring";
  }
  return roles == 2 ? "opposite" : fmt::format("{}. opposite", role);
}

// Where a role runs, if that is said.
std::optional<int> processor_of(const Crew& crew, const Placement& placement, std::size_t role) {
  if (!crew.pinned || !placement.processors || role >= placement.processors->size()) {
    return std::nullopt;
  }
  return (*placement.processors)[role];
}

void pin(std::optional<int> processor) {
  if (processor && !pin_to(*processor)) {
    throw std::runtime_error(fmt::format("pinning to processor {}: {}", *processor, std::strerror(errno)));
  }
}

Measurement work(const Crew& crew, const Placement& placement, std::size_t role) {
  pin(processor_of(crew, placement, role));
  if (role == 0) {
    return crew.measure();
  }
  crew.others[role - 1]();
  return {};
}

// All roles as threads of this process. The failure of one is that of all: the
// others may wait for it for ever, so it does not wait for them.
Measurement work_in_threads(const Crew& crew, const Placement& placement) {
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t running = crew.others.size() + 1;
  std::string reason;
  Measurement measurement;
  std::vector<std::thread> threads;
  for (std::size_t role = 0; role <= crew.others.size(); ++role) {
    threads.emplace_back([&, role] {
      Measurement own;
      std::string failed;
      try {
        own = work(crew, placement, role);
      } catch (const std::exception& thrown) {
        failed = fmt::format("the {} thread: {}", name_of(role, crew.others.size() + 1), thrown.what());
      }
      const std::lock_guard lock(mutex);
      if (role == 0) {
        measurement = std::move(own);
      }
      if (reason.empty()) {
        reason = failed;
      }
      --running;
      changed.notify_all();
    });
  }
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return running == 0 || !reason.empty(); });
  }
  for (std::thread& thread : threads) {
    reason.empty() ? thread.join() : thread.detach();
  }
  if (!reason.empty()) {
    throw std::runtime_error(reason);
  }
  return measurement;
}

// Waits for all, or for the failure of one.
Status await(std::deque<Worker>& workers, std::chrono::seconds patience) {
  using Clock = std::chrono::steady_clock;
  std::vector<pollfd> pipes;
  pipes.reserve(workers.size());
  for (const Worker& worker : workers) {
    pipes.push_back({.fd = worker.descriptor(), .events = POLLIN, .revents = 0});
  }
  const auto deadline = Clock::now() + patience;
  for (std::size_t running = workers.size(); running > 0;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) {
      return failure(ErrorCode::timed_out, fmt::format("the processes were not done after {} s", patience.count()));
    }
    if (poll(pipes.data(), pipes.size(), static_cast<int>(left.count())) < 0) {
      return errno == EINTR
                 ? failure(ErrorCode::interrupted, "interrupted by a signal")
                 : failure(ErrorCode::internal, fmt::format("waiting for processes: {}", std::strerror(errno)));
    }
    for (std::size_t role = 0; role < workers.size(); ++role) {
      if (pipes[role].fd >= 0 && pipes[role].revents != 0 && workers[role].receive()) {
        pipes[role].fd = -1;  // poll(2) leaves such entries out
        --running;
        if (workers[role].has_failed()) {
          return failure(ErrorCode::internal,
                         fmt::format("the {} process: {}", name_of(role, workers.size()), workers[role].text()));
        }
      }
    }
  }
  return {};
}

}  // namespace

Result<Measurement> run_crew(const Crew& crew, const Placement& placement, std::chrono::seconds patience) {
  std::deque<Worker> workers;
  const std::size_t processes = crew.threads ? 1 : crew.others.size() + 1;
  for (std::size_t role = 0; role < processes; ++role) {
    const Status started = workers.emplace_back().start(
        [&, role] {
          if (crew.prelude) {
            crew.prelude();
          }
          return crew.threads ? work_in_threads(crew, placement) : work(crew, placement, role);
        },
        crew.victim && role == *crew.victim + 1);
    if (!started) {
      return tl::unexpected(started.error());
    }
  }
  if (const Status done = await(workers, patience); !done) {
    return tl::unexpected(done.error());
  }
  return workers.front().measurement();
}

}  // namespace weir::performance
