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

#include <sys/types.h>

#include <functional>
#include <optional>

#include "conformance/kill_points/shared_memory_image.h"

namespace weir::conformance {

class Tracer {
 public:
  enum class Points { system_calls, stores };

  // Stops the process. Nothing if this machine does not allow it.
  [[nodiscard]] static std::optional<Tracer> attach(pid_t process, Points points);

  // False: `done` holds, or the process has ended.
  [[nodiscard]] bool go_to_next(const std::function<bool()>& done);

 private:
  Tracer(pid_t process, Points points) : process_(process), points_(points) {}
  // One step, of an instruction or to the next entry or exit of a system call. False: the process has ended.
  bool step();
  // Whether the next instruction is a system call.
  [[nodiscard]] bool before_system_call() const;

  pid_t process_;
  Points points_;
  std::optional<SharedMemoryImage> image_;
};

}  // namespace weir::conformance
