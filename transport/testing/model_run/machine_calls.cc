// The system calls of the shared-memory transport, led to the machine (machine.h) while there is one; the linker does
// it
// (--wrap). Before each whose effect or result others can tell there is a point.
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdarg>
#include <cstring>
#include <ctime>
#include <string>

#include "transport/shm/clock.h"
#include "transport/testing/model_run/execution_memory.h"
#include "transport/testing/model_run/machine.h"
#include "transport/testing/model_run/scheduler.h"

using weir::testing::is_simulating;
using weir::testing::machine;
using weir::testing::Machine;
using weir::testing::point;

namespace {

bool is_ours(int descriptor) { return is_simulating() && descriptor >= Machine::first_descriptor; }

template <class Number>
Number answer(Number result) {
  if (result >= 0) return result;
  errno = static_cast<int>(-result);
  return -1;
}

bool is_of_the_machine(const char* path) {
  const std::string_view text(path);
  return text == "/" || text.starts_with("/proc/self/fd/");
}

}  // namespace

// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming,clang-diagnostic-return-type-c-linkage): the
// linker's names
extern "C" {

int __real_open(const char* path, int flags, mode_t mode);
int __wrap_open(const char* path, int flags, mode_t mode) {
  if (!is_simulating() || !is_of_the_machine(path)) return __real_open(path, flags, mode);
  return answer(machine().open_at(-1, path, flags));
}

int __real_openat(int directory, const char* path, int flags, mode_t mode);
int __wrap_openat(int directory, const char* path, int flags, mode_t mode) {
  if (!is_ours(directory)) return __real_openat(directory, path, flags, mode);
  if ((flags & O_TMPFILE) != O_TMPFILE) point("openat", path);
  return answer(machine().open_at(directory, path, flags));
}

int __real_close(int descriptor);
int __wrap_close(int descriptor) {
  if (!is_ours(descriptor)) return __real_close(descriptor);
  if (machine().ends_description(descriptor)) point("close", machine().name_of(descriptor));
  return answer(machine().close(descriptor));
}

int __real_linkat(int from, const char* old_path, int to, const char* new_path, int flags);
int __wrap_linkat(int from, const char* old_path, int to, const char* new_path, int flags) {
  if (!is_ours(to)) return __real_linkat(from, old_path, to, new_path, flags);
  point("linkat", new_path);
  const int descriptor =
      *old_path == '\0' ? from : std::stoi(std::string(old_path).substr(std::strlen("/proc/self/fd/")));
  return answer(machine().link(descriptor, to, new_path));
}

int __real_unlinkat(int directory, const char* path, int flags);
int __wrap_unlinkat(int directory, const char* path, int flags) {
  if (!is_ours(directory)) return __real_unlinkat(directory, path, flags);
  point("unlinkat", path);
  return answer(machine().unlink_at(directory, path, (flags & AT_REMOVEDIR) != 0));
}

int __real_mkdirat(int directory, const char* path, mode_t mode);
int __wrap_mkdirat(int directory, const char* path, mode_t mode) {
  if (!is_ours(directory)) return __real_mkdirat(directory, path, mode);
  point("mkdirat", path);
  return answer(machine().make_directory(directory, path));
}

int __real_mkfifoat(int directory, const char* path, mode_t mode);
int __wrap_mkfifoat(int directory, const char* path, mode_t mode) {
  if (!is_ours(directory)) return __real_mkfifoat(directory, path, mode);
  point("mkfifoat", path);
  return answer(machine().make_fifo(directory, path));
}

int __real_fcntl(int descriptor, int command, void* argument);
int __wrap_fcntl(int descriptor, int command, void* argument) {
  if (!is_ours(descriptor)) return __real_fcntl(descriptor, command, argument);
  if (command == F_DUPFD_CLOEXEC) return answer(machine().duplicate(descriptor));
  if (command != F_OFD_SETLK && command != F_OFD_GETLK) weir::testing::violate("an fcntl that the machine lacks");
  auto& lock = *static_cast<struct flock*>(argument);
  const bool exclusive = lock.l_type == F_WRLCK;
  const long long end = lock.l_start + lock.l_len;
  if (command == F_OFD_SETLK) {
    point(exclusive ? "lock exclusively" : "lock shared", machine().name_of(descriptor));
    return answer(machine().lock(descriptor, exclusive, lock.l_start, end));
  }
  point("look for a lock", machine().name_of(descriptor));
  bool conflicts = false;
  const int result = machine().test_lock(descriptor, exclusive, lock.l_start, end, conflicts);
  lock.l_type = conflicts ? F_WRLCK : F_UNLCK;
  return answer(result);
}

int __real_fstat(int descriptor, struct stat* status);
int __wrap_fstat(int descriptor, struct stat* status) {
  if (!is_ours(descriptor)) return __real_fstat(descriptor, status);
  if (!machine().is_directory(descriptor))
    point("fstat", machine().name_of(descriptor));  // what is asked of them stays
  return answer(machine().stat(descriptor, *status));
}

int __real_fstatat(int directory, const char* path, struct stat* status, int flags);
int __wrap_fstatat(int directory, const char* path, struct stat* status, int flags) {
  if (!is_ours(directory)) return __real_fstatat(directory, path, status, flags);
  point("fstatat", path);
  return answer(machine().stat_at(directory, path, *status));
}

int __real_faccessat(int directory, const char* path, int mode, int flags);
int __wrap_faccessat(int directory, const char* path, int mode, int flags) {
  return is_simulating() ? 0 : __real_faccessat(directory, path, mode, flags);  // of descriptors in /proc
}

int __real_fchmod(int descriptor, mode_t mode);
int __wrap_fchmod(int descriptor, mode_t mode) { return is_ours(descriptor) ? 0 : __real_fchmod(descriptor, mode); }

int __real_fdatasync(int descriptor);
int __wrap_fdatasync(int descriptor) { return is_ours(descriptor) ? 0 : __real_fdatasync(descriptor); }

int __real_msync(void* address, size_t size, int flags);
int __wrap_msync(void* address, size_t size, int flags) {
  return is_simulating() ? 0 : __real_msync(address, size, flags);
}

int __real_ftruncate(int descriptor, off_t size);
int __wrap_ftruncate(int descriptor, off_t size) {
  if (!is_ours(descriptor)) return __real_ftruncate(descriptor, size);
  point("ftruncate", machine().name_of(descriptor));
  return answer(machine().truncate(descriptor, static_cast<std::size_t>(size)));
}

int __real_fallocate(int descriptor, int mode, off_t offset, off_t size);
int __wrap_fallocate(int descriptor, int mode, off_t offset, off_t size) {
  if (!is_ours(descriptor)) return __real_fallocate(descriptor, mode, offset, size);
  point("fallocate", machine().name_of(descriptor));
  return answer(machine().allocate(descriptor, (mode & FALLOC_FL_PUNCH_HOLE) != 0, (mode & FALLOC_FL_KEEP_SIZE) != 0,
                                   static_cast<std::size_t>(offset), static_cast<std::size_t>(size)));
}

ssize_t __real_pwrite(int descriptor, const void* data, size_t size, off_t offset);
ssize_t __wrap_pwrite(int descriptor, const void* data, size_t size, off_t offset) {
  if (!is_ours(descriptor)) return __real_pwrite(descriptor, data, size, offset);
  point("pwrite", machine().name_of(descriptor));
  return answer(machine().write(descriptor, data, size, offset));
}

ssize_t __real_pread(int descriptor, void* data, size_t size, off_t offset);
ssize_t __wrap_pread(int descriptor, void* data, size_t size, off_t offset) {
  if (!is_ours(descriptor)) return __real_pread(descriptor, data, size, offset);
  point("pread", machine().name_of(descriptor));
  return answer(machine().read(descriptor, data, size, offset));
}

ssize_t __real_write(int descriptor, const void* data, size_t size);
ssize_t __wrap_write(int descriptor, const void* data, size_t size) {
  if (!is_ours(descriptor)) return __real_write(descriptor, data, size);
  point("write", machine().name_of(descriptor));
  return answer(machine().write(descriptor, data, size, -1));
}

ssize_t __real_read(int descriptor, void* data, size_t size);
ssize_t __wrap_read(int descriptor, void* data, size_t size) {
  if (!is_ours(descriptor)) return __real_read(descriptor, data, size);
  point("read", machine().name_of(descriptor));
  return answer(machine().read(descriptor, data, size, -1));
}

ssize_t __real_getdents64(int directory, void* buffer, size_t size);
ssize_t __wrap_getdents64(int directory, void* buffer, size_t size) {
  if (!is_ours(directory)) return __real_getdents64(directory, buffer, size);
  point("getdents64", machine().name_of(directory));
  return answer(machine().list(directory, buffer, size));
}

off_t __real_lseek(int descriptor, off_t offset, int whence);
off_t __wrap_lseek(int descriptor, off_t offset, int whence) {
  if (!is_ours(descriptor)) return __real_lseek(descriptor, offset, whence);
  return answer(machine().rewind(descriptor));
}

void* __real_mmap(void* address, size_t size, int protection, int flags, int descriptor, off_t offset);
void* __wrap_mmap(void* address, size_t size, int protection, int flags, int descriptor, off_t offset) {
  if (!is_ours(descriptor)) return __real_mmap(address, size, protection, flags, descriptor, offset);
  return machine().map(descriptor, size, (protection & PROT_READ) != 0, (protection & PROT_WRITE) != 0);
}

int __real_munmap(void* address, size_t size);
int __wrap_munmap(void* address, size_t size) {
  if (!is_simulating()) return __real_munmap(address, size);
  if (machine().ends_description(address)) point("munmap");
  return answer(machine().unmap(address));
}

int __real_madvise(void* address, size_t size, int advice);
int __wrap_madvise(void* address, size_t size, int advice) {
  return is_simulating() ? 0 : __real_madvise(address, size, advice);
}

int __real_epoll_create1(int flags);
int __wrap_epoll_create1(int flags) { return is_simulating() ? machine().make_epoll() : __real_epoll_create1(flags); }

int __real_epoll_ctl(int epoll, int operation, int descriptor, epoll_event* event);
int __wrap_epoll_ctl(int epoll, int operation, int descriptor, epoll_event* event) {
  if (!is_ours(epoll)) return __real_epoll_ctl(epoll, operation, descriptor, event);
  point("epoll_ctl", machine().name_of(descriptor));
  return answer(machine().epoll_add(epoll, descriptor, *event));
}

int __real_epoll_wait(int epoll, epoll_event* events, int most, int milliseconds);
int __wrap_epoll_wait(int epoll, epoll_event* events, int most, int milliseconds) {
  if (!is_ours(epoll)) return __real_epoll_wait(epoll, events, most, milliseconds);
  point("epoll_wait");
  return answer(machine().epoll_look(epoll, events, most));
}

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...) {
  va_list arguments;
  va_start(arguments, number);
  auto* const word = va_arg(arguments, std::uint32_t*);
  const auto operation = va_arg(arguments, long);
  const auto value = va_arg(arguments, long);
  const auto fourth = va_arg(arguments, long);
  const auto fifth = va_arg(arguments, long);
  const auto sixth = va_arg(arguments, long);
  va_end(arguments);
  if (number != SYS_futex || !is_simulating()) {
    return __real_syscall(number, word, operation, value, fourth, fifth, sixth);
  }
  const bool waits = (operation & FUTEX_CMD_MASK) == FUTEX_WAIT;
  point(waits ? "futex wait" : "futex wake", machine().describe(word));
  if (!waits) {
    weir::testing::wake_sleepers_on(word);
    return 0;
  }
  if (*word != static_cast<std::uint32_t>(value)) return answer(-EAGAIN);
  return weir::testing::sleep_on_address(word) ? answer(-ETIMEDOUT) : 0;
}

ssize_t __real_getrandom(void* buffer, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void* buffer, size_t size, unsigned flags) {
  if (!is_simulating()) return __real_getrandom(buffer, size, flags);
  const std::uint64_t number = machine().random_number();
  std::memcpy(buffer, &number, std::min(size, sizeof(number)));
  return static_cast<ssize_t>(size);
}

int __real_nanosleep(const timespec* time, timespec* remaining);
int __wrap_nanosleep(const timespec* time, timespec* remaining) {
  if (!is_simulating()) return __real_nanosleep(time, remaining);
  weir::testing::pause();
  return 0;
}

// Who goes on is decided at points. The real one would cost a time slice each on a machine that has much to do.
int __real_sched_yield();
int __wrap_sched_yield() { return is_simulating() ? 0 : __real_sched_yield(); }

// Asked at each join, and at each look at a file: too often for a real call.
uid_t __real_geteuid();
uid_t __wrap_geteuid() {
  constexpr uid_t user = 1000;
  return is_simulating() ? user : __real_geteuid();
}

// std::chrono::steady_clock::now(): time passes when the scheduler says so.
std::chrono::steady_clock::time_point __real__ZNSt6chrono3_V212steady_clock3nowEv();
std::chrono::steady_clock::time_point __wrap__ZNSt6chrono3_V212steady_clock3nowEv() {
  if (!is_simulating()) return __real__ZNSt6chrono3_V212steady_clock3nowEv();
  return std::chrono::steady_clock::time_point(std::chrono::hours(1)) + weir::testing::simulated_time();
}

// std::thread::hardware_concurrency(): with one processor nobody spins before it sleeps.
unsigned __wrap__ZNSt6thread20hardware_concurrencyEv() noexcept { return 1; }

// best_tick_source(): the same on every machine, so that a schedule means the same.
weir::shm::TickSource __wrap__ZN4weir3shm16best_tick_sourceEv() noexcept {
#if defined(__x86_64__)
  return weir::shm::TickSource::time_stamp_counter;
#else
  return weir::shm::TickSource::monotonic_clock;
#endif
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming,clang-diagnostic-return-type-c-linkage)
