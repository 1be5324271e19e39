// One process of the example: this same program, started again for a role.
//
// It dies with the conductor, whatever happens to that, and it is killed and reaped when this object goes. Thread
// safety: none.
#pragma once

#include <sys/types.h>

#include <string>

#include "examples/quickstart/task.h"
#include "transport/status.h"

namespace quickstart {

class ChildProcess {
 public:
  // Starts it. The descriptors of the task are filled in but `source`, which it inherits. Errors: resource_exhausted.
  [[nodiscard]] static weir::Result<ChildProcess> start(Task task);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess();

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  // Readable when it has reported something or has ended.
  [[nodiscard]] int reports() const noexcept { return reports_; }
  // Lets it pass one gate, the next one if it has not come to it yet.
  void go() const noexcept;
  void kill() const noexcept;
  // Waits for its end. True: it exited with 0. Otherwise `how_it_ended` says more.
  bool reap();
  [[nodiscard]] std::string how_it_ended() const;

 private:
  ChildProcess(pid_t pid, int reports, int commands) : pid_(pid), reports_(reports), commands_(commands) {}

  pid_t pid_;
  int reports_;
  int commands_;
  bool reaped_ = false;
  int status_ = 0;
};

// To be called by the child as soon as it runs: from now on it dies with the conductor, and leaves Ctrl-C to it.
void die_with(pid_t conductor);

// Makes this process the one to which orphaned descendants fall, so that none escapes has_children().
void adopt_orphans();
// Whether any descendant of this process is there, running or dead and not reaped.
[[nodiscard]] bool has_children();

}  // namespace quickstart
