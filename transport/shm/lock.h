// Proof of life: a lock that the kernel drops at any death of its holder, and at nothing else.
//
// An open-file-description lock (fcntl(2), F_OFD_SETLK) on bytes of a file, held through an inaccessible mapping that
// forks do not inherit, not through a descriptor: so a forked child cannot keep its dead parent alive, closing
// descriptors does not drop it, and it costs none. No pid is trusted and no time-out is needed; it works across PID,
// mount and IPC namespaces that share the file. (docs/shm-protocol.md, Proof of death.)
#pragma once

#include <optional>
#include <string_view>

#include "transport/shm/file.h"
#include "transport/status.h"

namespace weir::shm {

// The bytes of a segment that are locked. They need not exist in the file.
struct LockRange {
  long long first = 0;
  long long count = 1;
};

inline constexpr LockRange owner_byte{0, 1};     // exclusively by the owner of the segment, for its life
inline constexpr LockRange readers_byte{1, 1};   // shared, by every subscriber that may still want what is in it
inline constexpr LockRange whole_segment{0, 2};  // exclusively by a janitor: no owner, no reader
inline constexpr LockRange users_byte{0, 1};     // of the epoch file: shared by users, exclusively by a remover

enum class LockKind { shared, exclusive };

// Holds a lock until it is destroyed.
class Lock {
 public:
  Lock() = default;

  // Takes the lock if it is free at once and keeps it by a mapping. `file`, readable for a shared lock and writable for
  // an exclusive one, is consumed; its own description must hold no lock. The lock goes on a new description of the
  // same file (through /proc, else on that of `file`), and forks are held up meanwhile: no child ever shares it. Empty:
  // somebody else holds a lock in conflict. Errors: resource_exhausted; unsupported where the file system loses the
  // lock when the descriptor is closed (overlayfs): found out by a probe.
  [[nodiscard]] static Result<std::optional<Lock>> try_take(File file, LockRange range, LockKind kind,
                                                            std::string_view what);

  explicit operator bool() const noexcept { return static_cast<bool>(hold_); }

 private:
  explicit Lock(Mapping hold) : hold_(std::move(hold)) {}
  Mapping hold_;
};

// Takes the lock on an open descriptor: for janitors, who work briefly. False when somebody else holds a lock in
// conflict. Closing the descriptor does not end it while a child that was forked meanwhile has it too: unlock() does.
[[nodiscard]] bool try_lock_briefly(const File& file, LockRange range, LockKind kind) noexcept;
void unlock(const File& file, LockRange range) noexcept;

// Whether anybody holds an exclusive lock on the range. Needs a readable descriptor whose own description has no lock.
[[nodiscard]] bool is_locked(const File& file, LockRange range) noexcept;

}  // namespace weir::shm
