// SIGINT, SIGTERM and SIGHUP as a stop token and a descriptor: whoever waits ends in order, leaves its topics and says
// what it did.
#pragma once

#include <stop_token>
#include <thread>

namespace weir::tool {

class Interrupts {
 public:
  // Before any other thread: each then leaves these signals to this object. Ignores SIGPIPE and SIGXFSZ, so
  // that a reader who is gone and a limit on the size of files are errors of write(2).
  Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  ~Interrupts();

  [[nodiscard]] std::stop_token token() const noexcept { return source_.get_token(); }
  // Readable once a signal has come.
  [[nodiscard]] int descriptor() const noexcept { return came_; }

 private:
  void listen();

  std::stop_source source_;
  int signals_;
  int came_;
  int leave_;
  std::thread listener_;
};

// Waits until the descriptor is readable or ended. False: a signal came first.
[[nodiscard]] bool wait_readable(int descriptor, const Interrupts& interrupts);

}  // namespace weir::tool
