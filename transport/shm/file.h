// Files and mappings as owners of what they hold, and the errors of the operating system as ours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "transport/status.h"

namespace weir::shm {

// The error for a failed system call. `what` says what was tried on what, with the topic; the sentence then names the
// shortage and its remedy: EMFILE/ENFILE (descriptors, ulimit -n), ENOSPC/EDQUOT (file system full: its size, remove
// topics, a larger tmpfs or another root), ENOMEM (mappings, vm.max_map_count), EACCES/EPERM/EROFS (permission).
[[nodiscard]] Error system_error(std::string_view what, int error_number);

// A descriptor, closed by the destructor. All are opened close-on-exec.
class File {
 public:
  File() = default;
  explicit File(int descriptor) : descriptor_(descriptor) {}
  File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File();

  explicit operator bool() const noexcept { return descriptor_ >= 0; }
  [[nodiscard]] int get() const noexcept { return descriptor_; }

 private:
  int descriptor_ = -1;
};

enum class Access { none, read, write };

// Whether a forked child keeps the mapping: samples must stay readable there, locks must not be kept alive.
enum class Fork { keeps, loses };

// A shared mapping of a file from offset 0, unmapped by the destructor. It may be longer than the file is now; touching
// what lies beyond the file's end is SIGBUS, so owners check before they touch.
class Mapping {
 public:
  Mapping() = default;
  Mapping(Mapping&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        only_process_(std::exchange(other.only_process_, 0)) {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(only_process_, other.only_process_);
    return *this;
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();

  [[nodiscard]] static Result<Mapping> of(const File& file, std::size_t size, Access access, Fork fork,
                                          std::string_view what);

  explicit operator bool() const noexcept { return data_ != nullptr; }
  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  // The generation (process.h) of the one process that has a mapping with Fork::loses; a child may have something else
  // at its addresses, and must not unmap it. 0: every child has the mapping too.
  std::uint64_t only_process_ = 0;
};

// Opens `name` in `directory` (AT_FDCWD: an ordinary path); never follows a symbolic link at the end, never blocks.
// `flags` as of open(2); a file that O_CREAT makes has mode 0600. Errors: not_found, permission_denied,
// resource_exhausted, corrupt for a symbolic link, a directory or a socket in its place, internal.
[[nodiscard]] Result<File> open_file(int directory, const std::string& name, int flags, std::string_view what);

// open_file, and corrupt for anything that is not a regular file.
[[nodiscard]] Result<File> open_regular_file(int directory, const std::string& name, int flags, std::string_view what);

// Another open file description of the same file, which need not have a name: locks of the two are independent. Goes
// through /proc/self/fd. Errors: as open_file; unsupported where /proc is missing or closed to this process.
[[nodiscard]] Result<File> reopen_file(const File& file, int flags, std::string_view what);

// A file without a name yet (O_TMPFILE), mode 0600, of `size` bytes, all reserved with fallocate, so that no later
// touch can meet a full file system. If the process dies before it is linked, nothing is left. Errors: as above;
// unsupported when the file system cannot do it.
[[nodiscard]] Result<File> make_unnamed(int directory, std::size_t size, std::string_view what);

// Reserves [offset, offset + size) of the file, growing it; errors as above, nothing is changed then.
[[nodiscard]] Status reserve(const File& file, std::size_t offset, std::size_t size, std::string_view what);

// Gives an unnamed file its name, atomically. Errors: name_taken when the name exists; not_found when the directory has
// been removed; unsupported where the kernel offers no way (neither /proc nor the capability).
[[nodiscard]] Status link_file(const File& file, int directory, const std::string& name, std::string_view what);

// Whether `name` leads to this very file now. False when it leads elsewhere or nowhere.
[[nodiscard]] bool leads_to(int directory, const std::string& name, const File& file) noexcept;

// The size of a file in bytes; 0 on an error.
[[nodiscard]] std::size_t size_of(const File& file) noexcept;

}  // namespace weir::shm
