#include "transport/shm/fork_mutex.h"

#include <pthread.h>

namespace weir::shm {
namespace {

constinit std::mutex mutex;

void take() { mutex.lock(); }
void give_back() { mutex.unlock(); }

}  // namespace

std::mutex& fork_mutex() {
  static const int registered = pthread_atfork(take, give_back, give_back);
  static_cast<void>(registered);  // fails only for want of memory; forks are then not kept out
  return mutex;
}

}  // namespace weir::shm
