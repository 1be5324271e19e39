#include "transport/shm/fork_mutex.h"

#include <pthread.h>
#include <unistd.h>

#include <vector>

namespace weir::shm {
namespace {

constinit std::mutex mutex;

// Guarded by the mutex. Never destroyed, as a fork may come late.
std::vector<int>& closed_in_children() {
  static auto* const descriptors = new std::vector<int>();
  return *descriptors;
}

void take() { mutex.lock(); }
void give_back() { mutex.unlock(); }
void begin_child() {
  for (const int descriptor : closed_in_children()) {
    close(descriptor);
  }
  closed_in_children().clear();
  mutex.unlock();
}

}  // namespace

std::mutex& fork_mutex() {
  static const int registered = pthread_atfork(take, give_back, begin_child);
  static_cast<void>(registered);  // fails only for want of memory; forks are then not kept out
  return mutex;
}

ClosedInChildren::ClosedInChildren(int descriptor, const std::lock_guard<std::mutex>& /*no_fork*/) {
  closed_in_children().push_back(descriptor);
  descriptor_ = descriptor;  // NOLINT(cppcoreguidelines-prefer-member-initializer): once it is on the list
}

ClosedInChildren::~ClosedInChildren() {
  if (descriptor_ < 0) {
    return;
  }
  const std::lock_guard<std::mutex> no_fork(fork_mutex());
  std::erase(closed_in_children(), descriptor_);
}

}  // namespace weir::shm
