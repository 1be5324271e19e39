// A forked child of a measurement, and the pipe that its outcome comes through.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>

#include "conformance/performance/measurement.h"
#include "transport/status.h"

namespace weir::performance {

class Worker {
 public:
  Worker() = default;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  // Kills it if it still runs.
  ~Worker();

  // Forks; the child does the work and ends. `may_be_killed`: death by SIGKILL
  // is no failure.
  Status start(const std::function<Measurement()>& work, bool may_be_killed);

  // Readable when receive() has something to do.
  [[nodiscard]] int descriptor() const noexcept { return pipe_; }
  // Takes what has come through the pipe. True at its end, which is that of the
  // process.
  bool receive();

  // After its end.
  [[nodiscard]] bool has_failed() const noexcept;
  [[nodiscard]] std::string_view text() const noexcept { return std::string_view(outcome_).substr(1); }
  [[nodiscard]] Measurement measurement() const;

 private:
  int reap() noexcept;

  pid_t pid_ = -1;
  int pipe_ = -1;
  bool may_be_killed_ = false;
  std::string outcome_;
};

}  // namespace weir::performance
