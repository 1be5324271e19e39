#include "transport/inproc/bell.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include <fmt/format.h>

namespace weir::inproc {

Bell::~Bell() { close(); }

void Bell::ring(bool readable) noexcept {
  changed_.notify_all();
  if (descriptor_ < 0) {
    return;
  }
  // What an eventfd shows is whether its counter is 0. Both calls fail only where that is right already.
  std::uint64_t one = 1;
  [[maybe_unused]] const auto done =
      readable ? ::write(descriptor_, &one, sizeof(one)) : ::read(descriptor_, &one, sizeof(one));
}

Result<int> Bell::fd() {
  if (descriptor_ < 0) {
    descriptor_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  }
  if (descriptor_ < 0) {
    return failure(ErrorCode::resource_exhausted,
                   fmt::format("inproc: eventfd: {}: raise the limit of descriptors (ulimit -n) or close something",
                               std::strerror(errno)));
  }
  return descriptor_;
}

void Bell::close() noexcept {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
    descriptor_ = -1;
  }
}

}  // namespace weir::inproc
