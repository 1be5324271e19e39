#include "conformance/harness/watchdog.h"

#include <utility>

namespace weir::conformance {

Watchdog::Watchdog(std::chrono::milliseconds patience, std::chrono::milliseconds grace, Actions actions)
    : actions_(std::move(actions)), thread_([=, this] { watch(patience, grace); }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard<std::mutex> lock(lock_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool Watchdog::expired() const {
  const std::lock_guard<std::mutex> lock(lock_);
  return expired_;
}

void Watchdog::watch(std::chrono::milliseconds patience, std::chrono::milliseconds grace) {
  std::unique_lock<std::mutex> lock(lock_);
  if (changed_.wait_for(lock, patience, [this] { return over_; })) return;
  expired_ = true;
  lock.unlock();
  actions_.end_peers();
  lock.lock();
  if (changed_.wait_for(lock, grace, [this] { return over_; })) return;
  lock.unlock();
  actions_.end_process();
}

}  // namespace weir::conformance
