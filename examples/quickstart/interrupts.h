// Ctrl-C and its like as something to poll, so that they come where everything can be put away.
//
//   quickstart::Interrupts interrupts;                       // from now on SIGINT, SIGTERM and SIGHUP only arrive here
//   poll(… interrupts.descriptor() …);
//   if (weir::Status quiet = interrupts.check(); !quiet) return quiet;
//
// The destructor lets them act as before. Thread safety: one thread at a time; the signals are those of its thread.
#pragma once

#include <csignal>

#include "transport/status.h"

namespace quickstart {

class Interrupts {
 public:
  Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  ~Interrupts();

  // Readable when a signal has come.
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  // Errors: interrupted, naming the signal, if one has come.
  [[nodiscard]] weir::Status check() const;

 private:
  sigset_t before_{};
  int descriptor_;
};

}  // namespace quickstart
