#include "tools/weir/interrupts.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace weir::tool {
namespace {

sigset_t awaited() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
  return set;
}

}  // namespace

Interrupts::Interrupts() : signals_(-1), came_(eventfd(0, EFD_CLOEXEC)), leave_(eventfd(0, EFD_CLOEXEC)) {
  const sigset_t set = awaited();
  sigprocmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  signals_ = signalfd(-1, &set, SFD_CLOEXEC);
  listener_ = std::thread([this] { listen(); });
}

Interrupts::~Interrupts() {
  eventfd_write(leave_, 1);
  listener_.join();
  for (const int descriptor : {signals_, came_, leave_}) close(descriptor);
}

void Interrupts::listen() {
  std::array<pollfd, 2> sources{{{signals_, POLLIN, 0}, {leave_, POLLIN, 0}}};
  while (poll(sources.data(), sources.size(), -1) < 0 && errno == EINTR) {
  }
  if ((sources[0].revents & POLLIN) != 0) {
    source_.request_stop();
    eventfd_write(came_, 1);
  }
}

bool wait_readable(int descriptor, const Interrupts& interrupts) {
  std::array<pollfd, 2> sources{{{descriptor, POLLIN, 0}, {interrupts.descriptor(), POLLIN, 0}}};
  while (poll(sources.data(), sources.size(), -1) < 0 && errno == EINTR) {
  }
  return (sources[1].revents & POLLIN) == 0;
}

}  // namespace weir::tool
