#include "transport/shm/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "transport/process.h"

namespace weir::shm {
namespace {

struct Meaning {
  ErrorCode code;
  std::string_view remedy;
};

Meaning meaning_of(int error_number) {
  switch (error_number) {
    case ENOENT:
      return {ErrorCode::not_found, "check the path"};
    case EEXIST:
      return {ErrorCode::name_taken, "choose another name"};
    case EMFILE:
      return {ErrorCode::resource_exhausted,
              "this process has no descriptor left: raise its limit (ulimit -n) or close what it does not need"};
    case ENFILE:
      return {ErrorCode::resource_exhausted, "the machine has no descriptor left: raise fs.file-max"};
    case ENOSPC:
      return {
          ErrorCode::resource_exhausted,
          "the file system is full, in bytes or in inodes: remove topics (weir clean), make it larger (for a tmpfs: "
          "mount -o remount,size=...), or use another root (WEIR_ROOT)"};
    case EDQUOT:
      return {ErrorCode::resource_exhausted,
              "the user's quota is used up: remove topics (weir clean) or use another root (WEIR_ROOT)"};
    case EFBIG:
      return {
          ErrorCode::resource_exhausted,
          "the file would be larger than this process may make: raise its limit (ulimit -f) or ask for less memory"};
    case ENOMEM:
      return {ErrorCode::resource_exhausted,
              "no memory, address space or mapping is left: close topics, free memory, lower memory=, raise ulimit -v "
              "or vm.max_map_count"};
    case EAGAIN:
      return {ErrorCode::resource_exhausted,
              "the limit of locked memory is reached: raise it (ulimit -l) or do without mlockall"};
    case ENOLCK:
      return {ErrorCode::resource_exhausted, "no file lock is left: close topics"};
    case EACCES:
    case EPERM:
      return {ErrorCode::permission_denied,
              "check the owner and mode of the path and of the directories above it, or use another root (WEIR_ROOT)"};
    case EROFS:
      return {ErrorCode::permission_denied,
              "the file system is mounted read-only: mount it read-write or use another root (WEIR_ROOT)"};
    case ELOOP:
      return {ErrorCode::corrupt, "a symbolic link is in its place: remove it"};
    case EISDIR:
    case ENOTDIR:
    case ENXIO:
      return {ErrorCode::corrupt, "something of another kind is in its place: remove it"};
    case ENAMETOOLONG:
      return {ErrorCode::invalid_argument, "the path is too long: use a shorter root (WEIR_ROOT)"};
    case EOPNOTSUPP:
    case ENOSYS:
    case ENODEV:
      return {ErrorCode::unsupported, "use a root in a tmpfs such as /dev/shm (WEIR_ROOT)"};
    default:
      return {ErrorCode::internal, "the operating system refused what it should grant: report it with this message"};
  }
}

// By name where it is one that people meet, else by number (statfs(2)).
std::string type_of(const struct statfs& file_system) {
  const auto number = static_cast<std::uint32_t>(file_system.f_type);
  switch (number) {
    case 0x0102'1994:
      return "tmpfs";
    case 0x8584'58f6:
      return "ramfs";
    case 0xef53:
      return "ext4";
    case 0x5846'5342:
      return "xfs";
    case 0x9123'683e:
      return "btrfs";
    case 0x794c'7630:
      return "overlayfs";
    case 0x6969:
      return "nfs";
    case 0x6573'5546:
      return "fuse";
    case 0x0102'1997:
      return "9p";
    case 0x4d44:
      return "vfat";
    case 0x9fa0:
      return "proc";
    case 0x6265'6572:
      return "sysfs";
    default:
      return fmt::format("{:#x}", number);
  }
}

Error unsupported_by(int descriptor, std::string_view what, std::string_view lacking) {
  struct statfs file_system {};
  const int result = descriptor == AT_FDCWD ? statfs(".", &file_system) : fstatfs(descriptor, &file_system);
  return Error(
      ErrorCode::unsupported,
      fmt::format("{}: the file system (type {}) cannot {}: use a root in a tmpfs such as /dev/shm (WEIR_ROOT)", what,
                  result == 0 ? type_of(file_system) : "unknown", lacking));
}

std::string path_of_descriptor(const File& file) { return fmt::format("/proc/self/fd/{}", file.get()); }

// Without /proc nothing is known of descriptors; a process that is not dumpable may not follow its own.
bool is_proc_unusable(int error_number) {
  return error_number == ENOENT || error_number == ENOTDIR || error_number == EACCES || error_number == EPERM;
}

Result<File> open_at(int directory, const char* path, int flags, std::string_view what) {
  int descriptor = -1;
  do {
    descriptor = openat(directory, path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
  } while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0) return tl::unexpected(system_error(what, errno));
  return File(descriptor);
}

// 0, or the error number.
int allocate(const File& file, std::size_t offset, std::size_t size) {
  while (fallocate(file.get(), 0, static_cast<off_t>(offset), static_cast<off_t>(size)) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

}  // namespace

Error system_error(std::string_view what, int error_number) {
  const Meaning meaning = meaning_of(error_number);
  const char* description = strerrordesc_np(error_number);
  const char* name = strerrorname_np(error_number);
  return Error(meaning.code,
               fmt::format("{}: {} ({}): {}", what, description != nullptr ? description : "unknown error",
                           name != nullptr ? name : std::to_string(error_number), meaning.remedy));
}

File::~File() {
  if (descriptor_ >= 0) close(descriptor_);
}

Mapping::~Mapping() {
  if (data_ == nullptr) return;
  if (only_process_ != 0 && only_process_ != spi::process_generation()) return;
  munmap(data_, size_);
}

Result<Mapping> Mapping::of(const File& file, std::size_t size, Access access, Fork fork, std::string_view what) {
  int protection = PROT_NONE;
  if (access == Access::read) protection = PROT_READ;
  if (access == Access::write) protection = PROT_READ | PROT_WRITE;
  void* data = mmap(nullptr, size, protection, MAP_SHARED, file.get(), 0);
  if (data == MAP_FAILED) return tl::unexpected(system_error(what, errno));
  Mapping mapping;
  mapping.data_ = static_cast<std::byte*>(data);
  mapping.size_ = size;
  if (fork == Fork::loses) {
    if (madvise(data, size, MADV_DONTFORK) != 0) return tl::unexpected(system_error(what, errno));
    spi::adopt_process();
    mapping.only_process_ = spi::process_generation();
  }
  return mapping;
}

Result<File> open_file(int directory, const std::string& name, int flags, std::string_view what) {
  return open_at(directory, name.c_str(), flags | O_NOFOLLOW, what);
}

Result<File> open_regular_file(int directory, const std::string& name, int flags, std::string_view what) {
  Result<File> file = open_file(directory, name, flags, what);
  if (!file) return file;
  struct stat status {};
  if (fstat(file->get(), &status) != 0) return tl::unexpected(system_error(what, errno));
  if (!S_ISREG(status.st_mode))
    return failure(ErrorCode::corrupt, fmt::format("{}: not a regular file: remove it", what));
  return file;
}

Result<File> reopen_file(const File& file, int flags, std::string_view what) {
  int descriptor = open(path_of_descriptor(file).c_str(), flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (descriptor >= 0) return File(descriptor);
  if (is_proc_unusable(errno)) {
    return failure(ErrorCode::unsupported,
                   fmt::format("{}: {} cannot be opened: mount /proc, and make this process dumpable (prctl(2), "
                               "PR_SET_DUMPABLE)",
                               what, path_of_descriptor(file)));
  }
  return tl::unexpected(system_error(what, errno));
}

Result<File> make_unnamed(int directory, std::size_t size, std::string_view what) {
  int descriptor = -1;
  do {
    descriptor = openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  } while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0) {
    // EISDIR and EINVAL are how kernels and file systems refuse that do not know O_TMPFILE (open(2)).
    if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL) {
      return tl::unexpected(unsupported_by(directory, what, "make a file without a name (O_TMPFILE)"));
    }
    return tl::unexpected(system_error(what, errno));
  }
  File file(descriptor);
  // The mode above was subject to the umask.
  if (fchmod(descriptor, 0600) != 0) return tl::unexpected(system_error(what, errno));
  if (Status reserved = reserve(file, 0, size, what); !reserved) return tl::unexpected(reserved.error());
  return file;
}

Status reserve(const File& file, std::size_t offset, std::size_t size, std::string_view what) {
  // On older kernels a signal makes a tmpfs take back all of a piece, which must be small to be done under a profiler's
  // timer.
  constexpr std::size_t piece = std::size_t{1} << 20U;
  const std::size_t size_before = size_of(file);
  const std::size_t end = offset + size;
  // Beyond this limit fallocate would also send SIGXFSZ, which kills.
  rlimit limit{};
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && end > limit.rlim_cur) return tl::unexpected(system_error(what, EFBIG));
  for (std::size_t at = offset; at < end; at += piece) {
    const int error_number = allocate(file, at, std::min(piece, end - at));
    if (error_number == 0) continue;
    if (size_of(file) > size_before) {
      // Shrinking cannot fail for want of anything; a failure would leave the file longer, which harms nobody.
      static_cast<void>(!ftruncate(file.get(), static_cast<off_t>(size_before)));
    }
    if (error_number == EOPNOTSUPP || error_number == ENOSYS) {
      return tl::unexpected(unsupported_by(file.get(), what, "reserve space (fallocate)"));
    }
    return tl::unexpected(system_error(what, error_number));
  }
  return {};
}

Status link_file(const File& file, int directory, const std::string& name, std::string_view what) {
  if (linkat(AT_FDCWD, path_of_descriptor(file).c_str(), directory, name.c_str(), AT_SYMLINK_FOLLOW) == 0) return {};
  int error_number = errno;
  if (is_proc_unusable(error_number)) {
    // Perhaps it was not the directory that is missing or forbidden, but /proc.
    if (linkat(file.get(), "", directory, name.c_str(), AT_EMPTY_PATH) == 0) return {};
    if (errno != ENOENT) error_number = errno;
    struct stat status {};
    const bool removed = fstatat(directory, ".", &status, 0) != 0 || status.st_nlink == 0;
    if (!removed && faccessat(AT_FDCWD, path_of_descriptor(file).c_str(), F_OK, 0) != 0) {
      return failure(ErrorCode::unsupported,
                     fmt::format("{}: a file without a name cannot be linked: mount /proc, and make this process "
                                 "dumpable (prctl(2), PR_SET_DUMPABLE)",
                                 what));
    }
  }
  return tl::unexpected(system_error(what, error_number));
}

bool leads_to(int directory, const std::string& name, const File& file) noexcept {
  struct stat named {};
  struct stat held {};
  return fstatat(directory, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 && fstat(file.get(), &held) == 0 &&
         named.st_dev == held.st_dev && named.st_ino == held.st_ino;
}

std::size_t size_of(const File& file) noexcept {
  struct stat status {};
  return fstat(file.get(), &status) == 0 ? static_cast<std::size_t>(status.st_size) : 0;
}

}  // namespace weir::shm
