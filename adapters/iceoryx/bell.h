// How the owner of a port is woken by the attendant: a condition variable for who waits in a call, an eventfd for who
// waits in an event loop. All calls but the constructor's with `mutex` held.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <stop_token>

#include <fmt/format.h>

#include "transport/deadline.h"
#include "transport/status.h"

namespace weir::iceoryx {

class Bell {
 public:
  Bell() = default;
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  ~Bell() { close(); }

  // Sleeps until the condition holds, which may be for a moment; a stop token that was triggered comes first.
  template <class Condition>
  Wake wait(std::unique_lock<std::mutex>& lock, Deadline deadline, const std::stop_token& stop, Condition condition) {
    const bool held = deadline == never  ? changed_.wait(lock, stop, condition)
                      : passed(deadline) ? condition()
                                         : changed_.wait_until(lock, stop, deadline, condition);
    if (stop.stop_requested()) return Wake::interrupted;
    return held ? Wake::ready : Wake::deadline;
  }

  // Something has changed; the descriptor is readable from here on, or not.
  void ring(bool readable) noexcept {
    changed_.notify_all();
    if (descriptor_ < 0) return;
    // What an eventfd shows is whether its counter is 0. Both calls fail only where that is right already.
    std::uint64_t one = 1;
    [[maybe_unused]] const auto done =
        readable ? ::write(descriptor_, &one, sizeof(one)) : ::read(descriptor_, &one, sizeof(one));
  }

  // The descriptor, made at the first call; ring() must follow. Errors: resource_exhausted.
  [[nodiscard]] Result<int> fd() {
    if (descriptor_ < 0) descriptor_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (descriptor_ >= 0) return descriptor_;
    return failure(ErrorCode::resource_exhausted,
                   fmt::format("iceoryx: eventfd: {}: raise the limit of descriptors (ulimit -n) or close something",
                               std::strerror(errno)));
  }
  [[nodiscard]] bool has_fd() const noexcept { return descriptor_ >= 0; }

  void close() noexcept {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
  }

  std::mutex mutex;

 private:
  std::condition_variable_any changed_;
  int descriptor_ = -1;
};

}  // namespace weir::iceoryx
