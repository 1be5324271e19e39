#include "examples/quickstart/interrupts.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cstring>

#include <fmt/format.h>

namespace quickstart {

Interrupts::Interrupts() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    sigaddset(&signals, signal);
  }
  sigprocmask(SIG_BLOCK, &signals, &before_);
  descriptor_ = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

Interrupts::~Interrupts() {
  close(descriptor_);
  sigprocmask(SIG_SETMASK, &before_, nullptr);
}

weir::Status Interrupts::check() const {
  signalfd_siginfo signal{};
  if (read(descriptor_, &signal, sizeof(signal)) != sizeof(signal)) {
    return {};
  }
  return weir::failure(weir::ErrorCode::interrupted,
                       fmt::format("interrupted by a signal: {}", strsignal(static_cast<int>(signal.ssi_signo))));
}

}  // namespace quickstart
