// Runs a few processes as fibers of one thread, one at a time, and decides at each point which goes on.
//
// A point comes before each access to a word of a shared file that at least two processes use and one of them writes,
// and before each system call whose effect or result others can tell. Between two points of one process nothing happens
// that another could see, so no schedule is left out by switching only there.
//
// Memory is that of x86 (total store order): each process has a buffer of stores in order; its own loads see them,
// others do not; an exchange, an addition, a sequentially consistent store or a system call empties it first. Stores go
// to memory at once unless the schedule delays one; then it and all after it wait in the buffer.
//
// What a schedule may do is bounded (Musuvathi and Qadeer, PLDI 2007): so many preemptions (the running process is left
// though it could go on, or a waiting store of another goes to memory), so many delayed stores, so many deaths. Who
// goes on when the running process sleeps or ends is free.
//
// Death. The stores of the dead reach memory. Its FIFOs hang up at once; its locks are dropped then, or later.
//
// Sleep. Time passes only when nobody can go on. If nobody has died, that is a violation: somebody sleeps for ever.
// After a death one sleeper, whichever, finds that its time is over: a wait of the protocol ends after its slice.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "transport/testing/model_run/choices.h"

namespace weir::testing {

struct Bounds {
  unsigned preemptions = 2;
  unsigned delays = 1;
  unsigned deaths = 0;
};

struct Program {
  std::string name;
  std::function<void()> act;
  bool may_die = false;
};

struct Outcome {
  std::string violation;   // empty: none
  bool cut_short = false;  // the schedule is equivalent to another
  std::uint64_t points = 0;
};

inline constexpr std::size_t most_processes = 4;
inline constexpr std::size_t nobody = most_processes;

// ---- For the explorer ----

enum class Stops : bool { where_needed, everywhere };

// Runs each program in a process of its own (0, 1, …) until all have ended, died, or something is wrong.
[[nodiscard]] Outcome run_programs(const std::vector<Program>& programs, const Bounds& bounds, Choices& source,
                                   Stops stops, bool with_trace);

// Which words are used by several processes is learnt from executions and put to use by settle_words(), which tells
// whether anything new was learnt. Schedules of one exploration must not span that call.
void forget_words() noexcept;
[[nodiscard]] bool settle_words() noexcept;

// Runs `act` as that process, without any points. Returns what was violated.
[[nodiscard]] std::string run_apart(std::size_t process, const std::function<void()>& act);

// Within that: the rest of it as another process.
void go_on_as(std::size_t process) noexcept;

// ---- For what runs in a process ----

[[nodiscard]] std::size_t current_process() noexcept;
[[nodiscard]] bool has_died(std::size_t process) noexcept;
[[nodiscard]] bool somebody_died() noexcept;
[[nodiscard]] bool somebody_is_dying() noexcept;  // its locks are still there

// Something that must never be: ends the execution.
[[noreturn]] void violate(const std::string& what);

// Before a system call.
void point(const char* what, const std::string& where = {});
// Sleeps until somebody wakes those who sleep on this. True: time was over.
[[nodiscard]] bool sleep_on_address(const void* address);
void wake_sleepers_on(const void* address);
// Lets others go on, if any can.
void pause();
// Moves when a sleeper's time is over.
[[nodiscard]] std::chrono::nanoseconds simulated_time() noexcept;

// ---- For words of shared files (scheduled_word.h) ----

[[nodiscard]] std::uint64_t load_word(const void* word, std::size_t size);
enum class Drain : bool { no, yes };
void store_word(void* word, std::size_t size, std::uint64_t value, Drain drain);
// Before the word is read and written in one step.
void begin_update(void* word, std::size_t size);
// A read by a system call.
void note_read(const void* address, std::size_t size) noexcept;

}  // namespace weir::testing
