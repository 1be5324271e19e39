// Where a peer lives: in a process of its own, or in a thread where the backend does not reach across processes.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "conformance/harness/event_log.h"

namespace weir::conformance {

enum class Home { process, thread };

class Performer {
 public:
  // Starts serve() (actor.h) at the other end of `socket`. A process is this very program, executed anew with an
  // argument that peer_main() recognises; the kernel kills it when the thread that started it ends. Throws
  // HarnessFailure.
  [[nodiscard]] static std::unique_ptr<Performer> start(Home home, const std::shared_ptr<EventLog>& log);

  Performer(const Performer&) = delete;
  Performer& operator=(const Performer&) = delete;
  virtual ~Performer() = default;

  [[nodiscard]] int socket() const noexcept { return socket_; }

  // The process in which the peer lives.
  [[nodiscard]] virtual pid_t process() const noexcept = 0;

  // SIGKILL, SIGSTOP, SIGCONT, each with its effect seen before it returns: dead, stopped, running. Only for processes.
  virtual void kill() = 0;
  // As kill(), but leaves the zombie, which still answers to its pid, until the performer is destroyed.
  virtual void kill_unreaped() = 0;
  virtual void stop() = 0;
  virtual void go_on() = 0;

  // Only the signal, from any thread: for the watchdog.
  virtual void kill_at_once() noexcept = 0;

  // Closes the socket, upon which the peer closes its handles and ends, and waits for that. Empty: it ended properly or
  // was killed by us. Otherwise how it ended.
  virtual std::string finish() = 0;

 protected:
  explicit Performer(int socket) : socket_(socket) {}
  int socket_;
};

// To be called first in main(): does a peer's work and returns true if this process was started to be one.
[[nodiscard]] bool peer_main(int argc, char** argv);

}  // namespace weir::conformance
