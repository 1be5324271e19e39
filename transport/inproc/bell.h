// How the owner of a port is woken: a condition variable for who waits in a call, an eventfd for who waits in an event
// loop.
//
//   Wake wake = bell.wait(lock, deadline, stop, [&] { return !queue.empty(); });
//   …
//   queue.push_back(message);
//   bell.ring(!queue.empty());       // after every change, with the mutex held: no wake-up can be lost
//
// Thread safety: all calls with the mutex of the domain held.
#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "transport/deadline.h"
#include "transport/status.h"

namespace weir::inproc {

class Bell {
 public:
  Bell() = default;
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  ~Bell();

  // Sleeps until the condition holds. A token that was triggered ends the wait whatever else holds, so that a loop
  // which always finds something to do can be stopped too.
  template <class Condition>
  Wake wait(std::unique_lock<std::mutex>& lock, Deadline deadline, const std::stop_token& stop, Condition condition) {
    if (deadline == never) {
      changed_.wait(lock, stop, condition);
    } else if (!passed(deadline)) {
      changed_.wait_until(lock, stop, deadline, condition);
    }
    if (stop.stop_requested()) {
      return Wake::interrupted;
    }
    return condition() ? Wake::ready : Wake::deadline;
  }

  // Something has changed; the descriptor is readable from here on, or not.
  void ring(bool readable) noexcept;

  // The descriptor; there is none before the first call, and ring() must follow. Errors: resource_exhausted.
  [[nodiscard]] Result<int> fd();

  // Closes the descriptor.
  void close() noexcept;

 private:
  std::condition_variable_any changed_;
  int descriptor_ = -1;
};

}  // namespace weir::inproc
