// In place of transport/shm/fork_mutex.cc: each simulated process has a mutex of its own, and none ever forks.
#include <array>
#include <new>

#include "transport/shm/fork_mutex.h"
#include "transport/testing/model_run/scheduler.h"

namespace weir::shm {
namespace {

std::array<std::mutex, testing::most_processes + 1> mutexes;

}  // namespace

std::mutex& fork_mutex() { return mutexes[testing::current_process()]; }

ClosedInChildren::ClosedInChildren(int descriptor, const std::lock_guard<std::mutex>& /*no_fork*/)
    : descriptor_(descriptor) {}
ClosedInChildren::~ClosedInChildren() { descriptor_ = -1; }

}  // namespace weir::shm

namespace weir::testing {

void free_mutexes() noexcept {
  for (std::mutex& one : shm::mutexes) new (&one) std::mutex();
}

}  // namespace weir::testing
