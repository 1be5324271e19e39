#include "transport/testing/model_run/scheduler.h"

#include <algorithm>
#include <exception>

#include <fmt/format.h>

#include "transport/testing/model_run/execution_memory.h"
#include "transport/testing/model_run/machine.h"
#include "transport/testing/model_run/scheduler_state.h"

namespace weir::testing {

namespace scheduling {

std::array<Process, most_processes> processes;
std::size_t current = nobody;
Bounds left;
Choices* choices = nullptr;
bool tracing = false;
bool stops_everywhere = false;
std::uint64_t steps = 0;
UsedWords used_words;

}  // namespace scheduling

using namespace scheduling;

namespace {

using namespace std::chrono_literals;

// What a sleeper's slice is at most; the transport's longest is 100 ms.
constexpr std::chrono::nanoseconds time_step = 100ms;
constexpr unsigned most_time_steps = 40;
constexpr std::uint64_t most_points = 50'000;

std::size_t count = 0;
bool apart = false;
ucontext_t outside;

Outcome outcome;
bool death_happened = false;
unsigned time_steps = 0;

const char* name_of(std::size_t process) { return processes[process].program->name.c_str(); }

[[noreturn]] void leave_execution() {
  ucontext_t never_again;
  current = nobody;
  swapcontext(&never_again, &outside);
  std::terminate();
}

void commit_oldest_of(std::size_t process) {
  if (tracing) {
    const StoreBuffer::Store& store = processes[process].buffer.oldest();
    trace(
        fmt::format("(a store of {} arrives: {} = {})", name_of(process), machine().describe(store.word), store.value));
  }
  processes[process].buffer.commit_oldest();
}

void finish_exit(std::size_t process) {
  if (tracing) trace(fmt::format("(the locks of {} are dropped)", name_of(process)));
  machine().finish_exit(process);
  processes[process].state = State::dead;
}

void go_to(std::size_t next) {
  if (next == current) return;
  const std::size_t before = current;
  current = next;
  if (tracing) trace("goes on");
  processes[next].fiber.resume_from(before == nobody ? outside : processes[before].fiber.context());
}

// What can happen beside the running process's going on.
void add_others(Options& options, bool free) {
  for (std::size_t process = 0; process < count; ++process) {
    if (processes[process].state == State::exiting) options.add(Happens::locks_drop, process);
  }
  for (std::size_t process = 0; process < count; ++process) {
    if (process != current && processes[process].state == State::ready && (free || left.preemptions > 0)) {
      options.add(Happens::go, process);
    }
  }
  for (std::size_t process = 0; process < count && left.preemptions > 0; ++process) {
    if (process != current && !processes[process].buffer.empty()) options.add(Happens::store_arrives, process);
  }
}

// Nobody can go on but by the passing of time.
void let_time_pass() {
  Options sleepers;
  std::size_t one = nobody;
  for (std::size_t process = 0; process < count; ++process) {
    if (processes[process].state != State::asleep) continue;
    sleepers.add(Happens::time_is_over, process);
    one = process;
  }
  if (sleepers.empty()) leave_execution();  // all have ended
  if (!death_happened) violate(fmt::format("{} sleeps for ever", name_of(one)));
  if (++time_steps > most_time_steps) violate(fmt::format("{} hangs after a death", name_of(one)));
  Process& chosen = processes[sleepers.choose().process];
  chosen.state = State::ready;
  chosen.time_is_over = true;
}

// The running process cannot go on: chooses who does, and returns when it can again.
void hand_over() {
  while (true) {
    ++steps;
    Options options;
    add_others(options, true);
    if (current != nobody && processes[current].state == State::ready) options.add(Happens::go, current);
    if (options.empty()) {
      bool paused = false;
      for (std::size_t process = 0; process < count; ++process) {
        if (processes[process].state != State::pausing) continue;
        processes[process].state = State::ready;
        paused = true;
      }
      if (!paused) let_time_pass();
      continue;
    }
    const Option chosen = options.choose();
    if (chosen.what == Happens::locks_drop) {
      finish_exit(chosen.process);
    } else if (chosen.what == Happens::store_arrives) {
      --left.preemptions;
      commit_oldest_of(chosen.process);
    } else {
      for (std::size_t process = 0; process < count; ++process) {
        if (processes[process].state == State::pausing) processes[process].state = State::ready;
      }
      go_to(chosen.process);
      return;
    }
  }
}

[[noreturn]] void die() {
  --left.deaths;
  death_happened = true;
  if (tracing) trace("dies");
  drain(processes[current]);
  processes[current].state = State::exiting;
  machine().begin_exit(current);
  hand_over();
  std::terminate();  // the dead do not return
}

void run_current() {
  try {
    processes[current].program->act();
  } catch (const std::exception& thrown) {
    violate(thrown.what());
  }
  if (apart) leave_execution();
  drain(processes[current]);
  processes[current].state = State::ended;
  if (tracing) trace("ends");
  hand_over();
  std::terminate();
}

void enter(std::size_t first) {
  current = first;
  processes[first].fiber.resume_from(outside);
  current = nobody;
}

}  // namespace

void scheduling::trace(const std::string& line) {
  fmt::print(stderr, "{:>6}  {:<12} {}\n", steps, current == nobody ? "" : name_of(current), line);
}

// A delayed store that its processor did not read past might as well not have been delayed.
void scheduling::drain(Process& process) {
  used_words.note_drain(static_cast<std::size_t>(&process - processes.data()));
  if (process.buffer.empty()) return;
  if (!process.read_meanwhile) {
    outcome.cut_short = true;
    leave_execution();
  }
  process.buffer.drain();
}

void scheduling::decide() {
  ++outcome.points;
  if (outcome.points > most_points || choices->exhausted()) violate("it does not come to an end");
  while (true) {
    Options options;
    options.add(Happens::nothing, current);
    if (left.preemptions > 0) add_others(options, false);
    if (left.deaths > 0 && processes[current].program->may_die) options.add(Happens::die, current);
    const Option chosen = options.choose();
    switch (chosen.what) {
      case Happens::nothing:
        return;
      case Happens::go:
        --left.preemptions;
        go_to(chosen.process);
        return;
      case Happens::store_arrives:
        --left.preemptions;
        commit_oldest_of(chosen.process);
        ++steps;
        break;
      case Happens::locks_drop:
        --left.preemptions;
        finish_exit(chosen.process);
        ++steps;
        break;
      case Happens::die:
        die();
      case Happens::time_is_over:
      case Happens::delay:
        std::terminate();  // are decided elsewhere
    }
  }
}

bool scheduling::is_scheduled() noexcept { return current != nobody && !apart; }

Outcome run_programs(const std::vector<Program>& programs, const Bounds& bounds, Choices& source, Stops stops,
                     bool with_trace) {
  count = programs.size();
  left = bounds;
  choices = &source;
  stops_everywhere = stops == Stops::everywhere;
  tracing = with_trace;
  outcome = {};
  death_happened = false;
  time_steps = 0;
  steps = 0;
  apart = false;
  for (Process& one : processes) one.state = State::ended;
  for (std::size_t process = 0; process < count; ++process) {
    Process& one = processes[process];
    one.program = &programs[process];
    one.state = State::ready;
    used_words.note_drain(process);
    one.time_is_over = false;
    one.buffer.clear();
    one.fiber.begin(run_current);
  }
  Options first;
  for (std::size_t process = 0; process < count; ++process) first.add(Happens::go, process);
  enter(first.choose().process);
  return outcome;
}

std::string run_apart(std::size_t process, const std::function<void()>& act) {
  const Program program{.name = fmt::format("process {}", process), .act = act};
  processes[process].program = &program;
  processes[process].buffer.clear();
  processes[process].fiber.begin(run_current);
  outcome.violation.clear();
  apart = true;
  enter(process);
  apart = false;
  return outcome.violation;
}

void go_on_as(std::size_t process) noexcept { current = process; }

void forget_words() noexcept { used_words.forget(); }
bool settle_words() noexcept { return used_words.settle(); }

std::size_t current_process() noexcept { return current; }
bool has_died(std::size_t process) noexcept {
  return processes[process].state == State::dead || processes[process].state == State::exiting;
}
bool somebody_died() noexcept { return death_happened; }
bool somebody_is_dying() noexcept {
  return std::any_of(processes.begin(), processes.end(),
                     [](const Process& one) { return one.state == State::exiting; });
}

void violate(const std::string& what) {
  {
    const OutsideExecution not_inside;
    outcome.violation.assign(what.begin(), what.end());  // a copy of its own
  }
  leave_execution();
}

void point(const char* what, const std::string& where) {
  if (!is_scheduled()) return;
  ++steps;
  decide();
  drain(processes[current]);
  if (tracing) trace(fmt::format("{} {}", what, where));
}

bool sleep_on_address(const void* address) {
  if (!is_scheduled()) {
    ++time_steps;
    return true;
  }
  Process& process = processes[current];
  process.state = State::asleep;
  process.sleeps_on = address;
  process.time_is_over = false;
  if (tracing) trace("sleeps");
  hand_over();
  if (tracing && process.time_is_over) trace("wakes, as its time is over");
  return process.time_is_over;
}

void wake_sleepers_on(const void* address) {
  for (std::size_t process = 0; process < count; ++process) {
    Process& sleeper = processes[process];
    if (sleeper.state == State::asleep && sleeper.sleeps_on == address) sleeper.state = State::ready;
  }
}

void pause() {
  if (!is_scheduled()) return;
  processes[current].state = State::pausing;
  hand_over();
}

std::chrono::nanoseconds simulated_time() noexcept { return time_steps * time_step; }

}  // namespace weir::testing
