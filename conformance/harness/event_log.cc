#include "conformance/harness/event_log.h"

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

#include "conformance/harness/failure.h"

namespace weir::conformance {
namespace {

// Waits end at least this often, to look at the deadline.
constexpr std::chrono::milliseconds slice(50);

void futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t value, std::chrono::nanoseconds most) {
  const timespec time{.tv_sec = 0, .tv_nsec = most.count()};
  syscall(SYS_futex, &word, FUTEX_WAIT, value, &time, nullptr, 0);
}

void futex_wake_all(const std::atomic<std::uint32_t>& word) {
  syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace

std::shared_ptr<EventLog> EventLog::map(int descriptor) {
  void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (memory == MAP_FAILED) throw_system_failure("mmap of an event log");
  // The file is all zero at first, which is a valid empty log; the peer must not construct it anew.
  return std::shared_ptr<EventLog>(new EventLog(descriptor, static_cast<Shared*>(memory)));
}

std::shared_ptr<EventLog> EventLog::create() {
  const int descriptor = memfd_create("weir-conformance-log", MFD_CLOEXEC);
  if (descriptor < 0 || ftruncate(descriptor, sizeof(Shared)) != 0) throw_system_failure("making an event log");
  return map(descriptor);
}

std::shared_ptr<EventLog> EventLog::attach(int descriptor) {
  auto log = map(descriptor);
  ::close(log->descriptor_);
  log->descriptor_ = -1;
  return log;
}

EventLog::~EventLog() {
  munmap(shared_, sizeof(Shared));
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool EventLog::append(Event event) noexcept {
  const std::uint32_t count = shared_->count.load(std::memory_order_relaxed);
  if (count == capacity) return false;
  event.time = std::chrono::steady_clock::now().time_since_epoch().count();
  shared_->events[count] = event;
  // Sequentially consistent with wait_for(): either it sees the new count, or its flag is seen here.
  shared_->count.store(count + 1, std::memory_order_seq_cst);
  if (shared_->readers_waiting.load(std::memory_order_seq_cst) != 0) futex_wake_all(shared_->count);
  return true;
}

std::size_t EventLog::size() const noexcept { return shared_->count.load(std::memory_order_acquire); }

std::vector<Event> EventLog::events(std::size_t first) const {
  return {shared_->events + std::min(first, size()), shared_->events + size()};
}

bool EventLog::wait_for(std::size_t count, Deadline deadline) const {
  shared_->readers_waiting.fetch_add(1, std::memory_order_seq_cst);
  bool there = false;
  while (true) {
    const std::uint32_t now = shared_->count.load(std::memory_order_seq_cst);
    there = now >= count;
    if (there || passed(deadline)) break;
    futex_wait(shared_->count, now, slice);
  }
  shared_->readers_waiting.fetch_sub(1, std::memory_order_seq_cst);
  return there;
}

void EventLog::set_progress(Progress progress) noexcept {
  shared_->begun.store(progress.begun, std::memory_order_seq_cst);
  shared_->accepted.store(progress.accepted, std::memory_order_seq_cst);
}

EventLog::Progress EventLog::progress() const noexcept {
  // In this order, what was accepted is never more than what had begun.
  const std::uint64_t accepted = shared_->accepted.load(std::memory_order_seq_cst);
  return {.begun = shared_->begun.load(std::memory_order_seq_cst), .accepted = accepted};
}

void EventLog::ask_to_halt() noexcept { shared_->halt.store(1, std::memory_order_relaxed); }
void EventLog::allow_to_go_on() noexcept { shared_->halt.store(0, std::memory_order_relaxed); }
bool EventLog::asked_to_halt() const noexcept { return shared_->halt.load(std::memory_order_relaxed) != 0; }

}  // namespace weir::conformance
