// Whether RouDi took a process for dead that was alive and not stopped: one that got no processor for 1.5 s, or whose
// keep-alive RouDi, without a processor itself, came late to read.
//
//   Starvation starvation;
//   auto roudi = RoudiProcess::start(pools, true, starvation.log());
//   starvation.started();
//   …
//   roudi->reset();
//   starvation.ended();
//   starvation.found();     // "RouDi took process 123 for dead, which …", or nothing
#pragma once

#include <sys/types.h>

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace weir::conformance {

// The process that a line of RouDi's log says it takes for dead, if its name is one that weir gives.
[[nodiscard]] std::optional<pid_t> taken_for_dead(std::string_view line);

class Starvation {
 public:
  // Throws HarnessFailure if there is no descriptor or thread left.
  Starvation();
  Starvation(const Starvation&) = delete;
  Starvation& operator=(const Starvation&) = delete;
  ~Starvation();

  // For RouDi to write to.
  [[nodiscard]] int log() const noexcept { return log_; }
  // RouDi has its own copy of it, or did not start.
  void started() noexcept;
  // Waits until all that RouDi said is read. RouDi has ended.
  void ended();
  // In one sentence; empty if there was none. From any thread, at any time.
  [[nodiscard]] std::string found() const;

 private:
  void read_on();
  void look(std::string_view line);

  int log_ = -1;
  int lines_ = -1;
  mutable std::mutex lock_;
  std::string found_;
  std::thread reader_;
};

}  // namespace weir::conformance
