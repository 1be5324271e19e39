// A lock for what takes nanoseconds and is seldom wanted by two.
#pragma once

#include <atomic>
#include <thread>

namespace weir::iceoryx {

class SpinLock {
 public:
  void lock() noexcept {
    while (locked_.exchange(true, std::memory_order_acquire)) std::this_thread::yield();
  }
  void unlock() noexcept { locked_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> locked_{false};
};

}  // namespace weir::iceoryx
