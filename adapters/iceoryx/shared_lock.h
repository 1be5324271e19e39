// Holds one of iceoryx's mutexes in shared memory, without ever waiting for a dead process.
//
// These mutexes are not robust: if their owner is killed, or is stopped, they stay locked. They are recursive, so what
// iceoryx does inside while we hold one does not wait either.
#pragma once

#include <chrono>
#include <thread>

#include "transport/deadline.h"

namespace weir::iceoryx {

// `Lockable` is a ThreadSafePolicy of iceoryx, such as the data of a queue.
template <class Lockable>
class SharedLock {
 public:
  // Tries until `give_up()` says so. It is asked only if somebody else holds the mutex.
  template <class GiveUp>
  SharedLock(const Lockable& lockable, GiveUp give_up) noexcept : lockable_(lockable), held_(lockable.tryLock()) {
    for (int tries = 0; !held_ && !give_up(); ++tries) {
      // RouDi holds it for microseconds.
      constexpr int busy_tries = 64;
      if (tries < busy_tries) {
        std::this_thread::yield();
      } else {
        std::this_thread::sleep_for(std::chrono::microseconds(50));
      }
      held_ = lockable.tryLock();
    }
  }
  SharedLock(const SharedLock&) = delete;
  SharedLock& operator=(const SharedLock&) = delete;
  ~SharedLock() {
    if (held_) lockable_.unlock();
  }

  explicit operator bool() const noexcept { return held_; }

 private:
  const Lockable& lockable_;
  bool held_;
};

}  // namespace weir::iceoryx
