#include "transport/shm/sharing.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <vector>

#include <fmt/format.h>

#include "transport/shm/names.h"
#include "transport/shm/root.h"

namespace weir::shm {
namespace {

constexpr mode_t private_mode = 0700;
constexpr mode_t shared_mode = 03770;

bool is_member(gid_t group) {
  if (getegid() == group) return true;
  const int count = getgroups(0, nullptr);
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(count, 0)));
  return getgroups(count, groups.data()) == count && std::find(groups.begin(), groups.end(), group) != groups.end();
}

Error is_anothers(const struct stat& directory, const std::string& path) {
  return Error(ErrorCode::permission_denied,
               fmt::format("{} belongs to user {}, not to user {}, and no group shares it: use another root "
                           "(WEIR_ROOT), or have it removed and the root shared by a group (chgrp GROUP, chmod 3770)",
                           path, directory.st_uid, geteuid()));
}

// Either returns 0 or the error number.
int make_private(int parent, const std::string& name) {
  return mkdirat(parent, name.c_str(), private_mode) == 0 ? 0 : errno;
}

int make_shared(int parent, const std::string& name) {
  struct stat status {};
  if (fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return EEXIST;
  const File readable(openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));  // `parent` may be O_PATH
  for (const std::string& entry : entries_of(readable.get())) {
    if (is_half_made(entry)) unlinkat(parent, entry.c_str(), AT_REMOVEDIR);
  }
  const std::string unfinished = half_made_name();
  if (const int error_number = make_private(parent, unfinished); error_number != 0) return error_number;
  if (fchmodat(parent, unfinished.c_str(), shared_mode, 0) == 0 &&
      renameat2(parent, unfinished.c_str(), parent, name.c_str(), RENAME_NOREPLACE) == 0) {
    return 0;
  }
  const int error_number = errno;
  unlinkat(parent, unfinished.c_str(), AT_REMOVEDIR);
  return error_number;
}

}  // namespace

Audience audience_of(const struct stat& directory) noexcept {
  constexpr mode_t needed = S_ISVTX | S_ISGID | S_IRWXG;
  const bool is_shared = (directory.st_mode & needed) == needed && (directory.st_mode & S_IWOTH) == 0;
  return is_shared ? Audience::group : Audience::owner;
}

int make_directory(int parent, const std::string& name, Audience audience) {
  return audience == Audience::group ? make_shared(parent, name) : make_private(parent, name);
}

Status open_to(Audience audience, GroupMay may, const File& file, std::string_view what) {
  if (audience == Audience::owner) return {};
  struct stat status {};
  if (fstat(file.get(), &status) != 0) return tl::unexpected(system_error(what, errno));
  const mode_t right = may == GroupMay::read ? S_IRGRP : S_IRGRP | S_IWGRP;
  if (fchmod(file.get(), (status.st_mode & S_IRWXU) | right) != 0) return tl::unexpected(system_error(what, errno));
  return {};
}

Status check_usable(const struct stat& directory, const std::string& path) {
  if (directory.st_uid == geteuid() || audience_of(directory) == Audience::group) return {};
  return tl::unexpected(is_anothers(directory, path));
}

Error refused(int error_number, const struct stat& directory, const std::string& path, std::string_view what) {
  const bool is_own = directory.st_uid == geteuid();
  if ((error_number != EACCES && error_number != EPERM) || is_own) return system_error(what, error_number);
  if (audience_of(directory) == Audience::owner) {
    return Error(ErrorCode::permission_denied, fmt::format("{}: {}", what, is_anothers(directory, path).message()));
  }
  if (is_member(directory.st_gid)) return system_error(what, error_number);
  return Error(ErrorCode::permission_denied,
               fmt::format("{}: {} is shared by group {}, and user {} is not in it: have an administrator add the user "
                           "to that group, or use another root (WEIR_ROOT)",
                           what, path, directory.st_gid, geteuid()));
}

}  // namespace weir::shm
