// Leads a process from one point of its work to the next, from outside and uninstrumented: the entry and the exit of
// each system call and, if asked for, each instruction that changed the memory that it shares. Between two points its
// peers see the same, so one kill serves for all places between them.
//
//   auto tracer = Tracer::attach(victim.process(), Tracer::Points::stores);
//   victim.begin(request);
//   while (tracer->go_to_next([&] { return victim.answered(); })) ++points;
//
// By ptrace(2): attach and use on the thread that started the process. The process must be at rest, waiting for a
// request. Only its first thread is led; what others do is not seen.
#pragma once

#include <sched.h>
#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>

#include "conformance/kill_points/shared_memory_image.h"

namespace weir::conformance {

class Tracer {
 public:
  enum class Points { system_calls, stores };

  // Stops the process. Nothing if this machine does not allow it. Until the tracer is destroyed this thread and the
  // process share a processor: each step would wait for another one to wake up.
  [[nodiscard]] static std::optional<Tracer> attach(pid_t process, Points points);

  Tracer(Tracer&& other) noexcept = default;
  Tracer& operator=(Tracer&& other) = delete;
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;
  ~Tracer() = default;

  // False: `done` holds, or the process has ended.
  [[nodiscard]] bool go_to_next(const std::function<bool()>& done);

 private:
  Tracer(pid_t process, Points points) : process_(process), points_(points) {}
  // One step, of an instruction or to the next entry or exit of a system call. False: the process has ended.
  bool step();
  // Whether the next instruction is a system call.
  [[nodiscard]] bool before_system_call() const;

  // Gives the thread back what it may run on.
  struct Unpin {
    void operator()(const cpu_set_t* before) const noexcept;
  };

  pid_t process_;
  Points points_;
  std::unique_ptr<const cpu_set_t, Unpin> pinned_;
  std::optional<SharedMemoryImage> image_;
};

}  // namespace weir::conformance
