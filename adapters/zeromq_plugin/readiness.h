// One descriptor that becomes readable when anything happens to a socket: on shared memory, on its connections of
// libzmq's own, or to its context.
//
// It keeps the contract of ZMQ_FD: after an event it is readable until somebody looks (ZMQ_EVENTS, or a receive that
// comes back empty), and then not again before the next event, whether or not everything was taken.
#pragma once

#include <chrono>

#include "transport/shm/file.h"
#include "transport/status.h"

namespace weir::zmq_plugin {

class Readiness {
 public:
  [[nodiscard]] static Result<Readiness> make();

  // `level`: it stays readable as long as this descriptor is, which libzmq's own needs. A descriptor that is closed
  // leaves by itself.
  [[nodiscard]] Status watch(int descriptor, bool level);

  [[nodiscard]] int descriptor() const noexcept { return epoll_.get(); }

  // Looks, without waiting. True: something had happened since the last look.
  bool look() noexcept;
  // Makes it readable: for good, from any thread, when the context ends; or until the next look.
  void end() noexcept;
  void nudge() noexcept;

  enum class Woken : unsigned char { by_event, by_deadline, by_signal };
  [[nodiscard]] Woken wait(std::chrono::steady_clock::time_point deadline) noexcept;

 private:
  Readiness(shm::File epoll, shm::File ended, shm::File nudged)
      : epoll_(std::move(epoll)), ended_(std::move(ended)), nudged_(std::move(nudged)) {}

  shm::File epoll_;
  shm::File ended_;
  shm::File nudged_;
};

}  // namespace weir::zmq_plugin
