#include "transport/shm/lock.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>

#include <fmt/format.h>

#include "transport/process.h"
#include "transport/shm/fork_mutex.h"

namespace weir::shm {
namespace {

// As little as a mapping can be; it is never touched, so the file may be empty.
constexpr std::size_t smallest_mapping = 1;

struct flock description_of(LockRange range, LockKind kind) {
  struct flock lock {};
  lock.l_type = kind == LockKind::exclusive ? F_WRLCK : F_RDLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = range.first;
  lock.l_len = range.count;
  return lock;
}

// 0, or the error number: EAGAIN or EACCES when somebody holds a lock in conflict.
int set_lock(const File& file, LockRange range, LockKind kind) noexcept {
  struct flock lock = description_of(range, kind);
  return fcntl(file.get(), F_OFD_SETLK, &lock) == 0 ? 0 : errno;
}

// Whether another open file description holds a lock that such a one would meet. When the kernel does not say, it may.
bool would_conflict(const File& file, LockRange range, LockKind kind) noexcept {
  struct flock lock = description_of(range, kind);
  return fcntl(file.get(), F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

}  // namespace

Result<std::optional<Lock>> Lock::try_take(File file, LockRange range, LockKind kind, std::string_view what) {
  // The lock belongs to an open file description, and lives as long as anything refers to that. So it goes on a new
  // one, which no child born before has inherited, and no child is born until only the mapping refers to it.
  spi::adopt_process();  // before the mutex, as it may register a handler of forks
  const std::lock_guard<std::mutex> no_fork(fork_mutex());
  File holder;
  Result<File> reopened = reopen_file(file, kind == LockKind::exclusive ? O_RDWR : O_RDONLY, what);
  if (reopened) {
    holder = std::move(*reopened);
  } else if (reopened.error().code() == ErrorCode::unsupported) {
    std::swap(holder, file);  // and nothing is left to probe with
  } else {
    return tl::unexpected(reopened.error());
  }

  const int error_number = set_lock(holder, range, kind);
  if (error_number == EAGAIN || error_number == EACCES) return std::optional<Lock>();
  if (error_number == EINVAL || error_number == EOPNOTSUPP) {
    return failure(
        ErrorCode::unsupported,
        fmt::format("{}: the file system or kernel has no open-file-description locks: use a root in a tmpfs "
                    "such as /dev/shm (WEIR_ROOT), on Linux 3.15 or newer",
                    what));
  }
  if (error_number != 0) return tl::unexpected(system_error(what, error_number));

  Result<Mapping> hold = Mapping::of(holder, smallest_mapping, Access::none, Fork::loses, what);
  if (!hold) return tl::unexpected(hold.error());
  holder = File();

  // On overlayfs the mapping refers to a file beneath, and the lock went with the descriptor.
  if (file && !would_conflict(file, range, LockKind::exclusive)) {
    return failure(ErrorCode::unsupported,
                   fmt::format("{}: the file system loses a lock when its descriptor is closed (overlayfs does): use a "
                               "root in a tmpfs such as /dev/shm (WEIR_ROOT), or a volume",
                               what));
  }
  return Lock(std::move(*hold));
}

bool try_lock_briefly(const File& file, LockRange range, LockKind kind) noexcept {
  return set_lock(file, range, kind) == 0;
}

void unlock(const File& file, LockRange range) noexcept {
  struct flock lock = description_of(range, LockKind::shared);
  lock.l_type = F_UNLCK;
  fcntl(file.get(), F_OFD_SETLK, &lock);
}

bool is_locked(const File& file, LockRange range) noexcept { return would_conflict(file, range, LockKind::shared); }

}  // namespace weir::shm
