#include "transport/shm/root.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "transport/shm/fork_mutex.h"
#include "transport/shm/layout.h"
#include "transport/shm/names.h"
#include "transport/shm/sharing.h"

namespace weir::shm {
namespace {

std::string version_directory() { return fmt::format("v{}", layout_version); }

std::string default_root() { return fmt::format("/dev/shm/weir-{}", geteuid()); }

std::string without_trailing_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

// `source` says where the path comes from: the option or the environment.
Result<std::string> checked_root(std::string path, std::string_view source, const Endpoint& endpoint) {
  if (!path.starts_with('/') || path.find('\0') != std::string::npos) {
    return failure(ErrorCode::invalid_argument,
                   fmt::format("topic \"{}\": {} \"{}\" is not an absolute path: begin it with a slash", endpoint.topic,
                               source, path));
  }
  return without_trailing_slashes(std::move(path));
}

Result<std::string> root_of(const Endpoint& endpoint) {
  if (const auto option = endpoint.options.find("root"); option != endpoint.options.end()) {
    return checked_root(option->second, "the option root", endpoint);
  }
  // Not for a program that runs with more rights than its user has: the user chose the environment.
  if (const char* variable = secure_getenv("WEIR_ROOT"); variable != nullptr && *variable != '\0') {
    return checked_root(variable, "WEIR_ROOT", endpoint);
  }
  return default_root();
}

Result<Place> absolute_place(const Endpoint& endpoint) {
  if (endpoint.options.contains("root")) {
    return failure(ErrorCode::invalid_argument,
                   fmt::format("topic \"{}\": an absolute topic has its root in its path: leave the option root away",
                               endpoint.topic));
  }
  const std::size_t slash = endpoint.topic.rfind('/');
  const std::string topic = endpoint.topic.substr(slash + 1);
  if (topic.empty()) {
    return failure(
        ErrorCode::invalid_argument,
        fmt::format("topic \"{}\" ends in a slash: add the name of a topic in that directory", endpoint.topic));
  }
  return Place{.root = without_trailing_slashes(endpoint.topic.substr(0, slash + 1)),
               .topic = topic,
               .name = directory_of(topic)};
}

std::string above(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Why nothing can be made in a directory that is there.
Error refused_below(int error_number, const struct stat& parent, const std::string& path, std::string_view what) {
  const bool is_forbidden = error_number == EACCES || error_number == EPERM;
  if (is_forbidden && parent.st_uid != geteuid() && audience_of(parent) == Audience::owner) {
    return Error(ErrorCode::permission_denied,
                 fmt::format("{}: {} belongs to user {}, and user {} may make nothing in it: use another root "
                             "(WEIR_ROOT)",
                             what, path, parent.st_uid, geteuid()));
  }
  if (error_number == ENOENT) {
    return Error(ErrorCode::permission_denied,
                 fmt::format("{}: in {} no directory can be made: use another root (WEIR_ROOT)", what, path));
  }
  return refused(error_number, parent, path, what);
}

bool is_removed(const File& directory) {
  struct stat status {};
  return fstat(directory.get(), &status) != 0 || status.st_nlink == 0;
}

// One step down a path, making the directory if it is missing.
Result<File> enter(const File& parent, const std::string& name, int flags, const std::string& path) {
  constexpr int rounds = 1000;
  struct stat status {};
  for (int round = 0; round < rounds; ++round) {
    const int descriptor = openat(parent.get(), name.c_str(), flags | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0) return File(descriptor);
    const std::string opening = fmt::format("cannot open the directory {}", path);
    if (const int error_number = errno; error_number != ENOENT) {
      if (fstatat(parent.get(), name.c_str(), &status, 0) == 0) {
        return tl::unexpected(refused(error_number, status, path, opening));
      }
      return tl::unexpected(fstat(parent.get(), &status) == 0 ? refused(error_number, status, above(path), opening)
                                                              : system_error(opening, error_number));
    }
    const std::string making = fmt::format("cannot make the directory {}", path);
    if (fstat(parent.get(), &status) != 0) return tl::unexpected(system_error(making, errno));
    const int error_number = make_directory(parent.get(), name, audience_of(status));
    const bool is_passing = error_number == EEXIST || (error_number == ENOENT && is_removed(parent));
    if (error_number != 0 && !is_passing) {
      return tl::unexpected(refused_below(error_number, status, above(path), making));
    }
  }
  return failure(ErrorCode::unavailable,
                 fmt::format("cannot make the directory {}: somebody keeps removing it: find out who", path));
}

// Judges what was opened, not what a path leads to now.
Status check_owner(const File& directory, const std::string& path) {
  struct stat status {};
  if (fstat(directory.get(), &status) != 0) {
    return tl::unexpected(system_error(fmt::format("cannot examine {}", path), errno));
  }
  if (status.st_uid != geteuid()) {
    return failure(
        ErrorCode::permission_denied,
        fmt::format("{} belongs to user {}, not to user {}: have it removed, or use another root (WEIR_ROOT)", path,
                    status.st_uid, geteuid()));
  }
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (status.st_mode & S_ISVTX) == 0) {
    return failure(ErrorCode::permission_denied,
                   fmt::format("{} has mode {:o}, so that others may write in it: chmod 700, or use another root "
                               "(WEIR_ROOT)",
                               path, status.st_mode & 07777U));
  }
  return {};
}

// Another user's directory is used only if a group shares it. One of the system (/tmp, say) may hold an absolute topic,
// whose own directory is judged then. In a user namespace its owner is shown as the overflow user.
Status check_root(const File& directory, const std::string& path) {
  struct stat status {};
  if (fstat(directory.get(), &status) != 0) {
    return tl::unexpected(system_error(fmt::format("cannot examine {}", path), errno));
  }
  constexpr uid_t overflow_user = 65534;
  const bool is_of_system = status.st_uid == 0 || status.st_uid == overflow_user;
  return is_of_system ? Status() : check_usable(status, path);
}

}  // namespace

Result<Place> place_of(const Endpoint& endpoint) {
  if (endpoint.topic.starts_with('/')) return absolute_place(endpoint);
  Result<std::string> root = root_of(endpoint);
  if (!root) return tl::unexpected(root.error());
  return Place{.root = (*root == "/" ? "" : *root) + '/' + version_directory(),
               .topic = endpoint.topic,
               .name = directory_of(endpoint.topic)};
}

Result<File> open_root(const std::string& root) {
  // A directory that everybody may make first in /dev/shm is not trusted as one that the user has named.
  const std::string ours = default_root();
  const bool is_default = root.starts_with(ours + '/');
  File directory(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return tl::unexpected(system_error("cannot open the directory /", errno));
  for (std::size_t begin = 1; begin < root.size();) {
    const std::size_t end = std::min(root.find('/', begin), root.size());
    const std::string name = root.substr(begin, end - begin);
    const std::string path = root.substr(0, end);
    begin = end + 1;
    if (name.empty()) continue;
    const bool is_last = root.find_first_not_of('/', end) == std::string::npos;
    const bool is_guarded = is_default && end >= ours.size();
    Result<File> next = enter(directory, name, (is_last ? O_RDONLY : O_PATH) | (is_guarded ? O_NOFOLLOW : 0), path);
    if (!next) return next;
    if (is_guarded) {
      if (Status checked = check_owner(*next, path); !checked) return tl::unexpected(checked.error());
    }
    directory = std::move(*next);
  }
  if (Status checked = check_root(directory, root); !checked) return tl::unexpected(checked.error());
  return directory;
}

std::vector<std::string> entries_of(int directory) {
  std::vector<std::string> names;
  alignas(dirent64) std::array<char, 16384> buffer;
  // The position belongs to the open file description, which all threads share.
  const std::lock_guard<std::mutex> alone(fork_mutex());
  if (lseek(directory, 0, SEEK_SET) != 0) return names;
  ssize_t size = 0;
  while ((size = getdents64(directory, buffer.data(), buffer.size())) > 0) {
    for (ssize_t at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const dirent64*>(buffer.data() + at);
      if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) {
        names.emplace_back(entry->d_name);
      }
      at += entry->d_reclen;
    }
  }
  if (size < 0 && errno != ENOENT) {  // that is the end of one which has been removed
    throw std::system_error(errno, std::generic_category(), "reading a directory");
  }
  return names;
}

}  // namespace weir::shm
