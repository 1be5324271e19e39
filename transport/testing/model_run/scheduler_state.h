// What the parts of the scheduler share: the processes of the execution that runs, and the decision before each step.
// Of scheduler.cc, and of scheduled_memory.cc, which does what words of shared files do.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "transport/testing/model_run/choices.h"
#include "transport/testing/model_run/fiber.h"
#include "transport/testing/model_run/scheduler.h"
#include "transport/testing/model_run/store_buffer.h"
#include "transport/testing/model_run/used_words.h"

namespace weir::testing::scheduling {

enum class State : std::uint8_t {
  ready,
  pausing,  // ready, but others first
  asleep,
  ended,
  exiting,  // dead, and the kernel has not dropped its locks yet
  dead,
};

struct Process {
  Fiber fiber;
  const Program* program = nullptr;
  State state = State::ended;
  const void* sleeps_on = nullptr;
  bool time_is_over = false;
  StoreBuffer buffer;
  bool read_meanwhile = false;  // since the buffer is not empty
};

extern std::array<Process, most_processes> processes;
extern std::size_t current;
extern Bounds left;
extern Choices* choices;
extern bool tracing;
extern bool stops_everywhere;  // also at words that only one process uses
// Accesses to shared words and system calls, points or not, and decisions beside them: so each has a number of its own,
// whatever words need points.
extern std::uint64_t steps;
extern UsedWords used_words;

// At most two of them for each process, and three besides.
class Options {
 public:
  void add(Happens what, std::size_t process) noexcept { options_[size_++] = {what, process}; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] Option choose() const { return choices->choose(steps, std::span(options_.data(), size_)); }

 private:
  std::array<Option, 3 * most_processes + 3> options_{};
  std::size_t size_ = 0;
};

// Whether a process of the schedule runs now.
[[nodiscard]] bool is_scheduled() noexcept;
// Before each step of the running process that others can tell.
void decide();
// All stores of a process come to memory.
void drain(Process& process);
void trace(const std::string& line);

}  // namespace weir::testing::scheduling
