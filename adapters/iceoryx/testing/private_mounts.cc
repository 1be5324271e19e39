#include "adapters/iceoryx/testing/private_mounts.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace weir::iceoryx {
namespace {

namespace fs = std::filesystem;

// A directory below /tmp that must stay, and a descriptor of it.
struct Kept {
  fs::path path;
  int descriptor;
};

std::vector<Kept> directories_to_keep() {
  std::vector<fs::path> wanted{fs::current_path(), fs::read_symlink("/proc/self/exe").parent_path()};
  for (const char* name : {"TEST_TMPDIR", "TEST_UNDECLARED_OUTPUTS_DIR", "TEST_SRCDIR", "RUNFILES_DIR"}) {
    if (const char* value = std::getenv(name)) wanted.emplace_back(value);
  }
  for (const char* name : {"XML_OUTPUT_FILE", "TEST_PREMATURE_EXIT_FILE", "TEST_WARNINGS_OUTPUT_FILE"}) {
    if (const char* value = std::getenv(name)) wanted.push_back(fs::path(value).parent_path());
  }
  std::vector<Kept> kept;
  std::set<fs::path> tops;
  for (const fs::path& path : wanted) {
    // All of what lies beside it below /tmp too: links lead from one to the other.
    const fs::path below = path.lexically_normal().lexically_relative("/tmp");
    if (!below.empty() && *below.begin() != ".." && *below.begin() != ".")
      tops.insert(fs::path("/tmp") / *below.begin());
  }
  for (const fs::path& path : tops) {
    const int descriptor = ::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0) kept.push_back({path, descriptor});
  }
  return kept;
}

std::string fault(std::string_view what) { return fmt::format("{}: {}", what, std::strerror(errno)); }

bool write_file(const char* path, const std::string& text) {
  std::ofstream file(path);
  file << text << std::flush;
  return file.good();
}

std::string unshare_mounts() {
  if (::unshare(CLONE_NEWNS) == 0) return {};
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return fault("unshare of mounts, as root and as a user");
  if (!write_file("/proc/self/setgroups", "deny") ||
      !write_file("/proc/self/uid_map", fmt::format("{0} {0} 1", user)) ||
      !write_file("/proc/self/gid_map", fmt::format("{0} {0} 1", group))) {
    return fault("mapping the user into a namespace of its own");
  }
  return {};
}

// In huge pages where the kernel has them: RouDi writes to all of its memory when it starts, and asking for that page
// by page takes longer than most tests.
bool mount_memory(const char* directory) {
  constexpr unsigned long flags = MS_NOSUID | MS_NODEV;
  return ::mount("weir-test", directory, "tmpfs", flags, "mode=1777,huge=within_size") == 0 ||
         ::mount("weir-test", directory, "tmpfs", flags, "mode=1777") == 0;
}

}  // namespace

std::string enter_private_mounts() {
  const fs::path here = fs::current_path();
  if (std::string reason = unshare_mounts(); !reason.empty()) return reason;
  const std::vector<Kept> kept = directories_to_keep();  // of the new namespace: others cannot be bound
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return fault("making mounts private");
  for (const char* directory : {"/tmp", "/dev/shm"}) {
    if (!mount_memory(directory)) return fault(fmt::format("mounting a tmpfs on {}", directory));
  }
  for (const Kept& directory : kept) {
    std::error_code failed;
    fs::create_directories(directory.path, failed);
    const std::string source = fmt::format("/proc/self/fd/{}", directory.descriptor);
    if (::mount(source.c_str(), directory.path.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) {
      return fault(fmt::format("keeping {}", directory.path.string()));
    }
    ::close(directory.descriptor);
  }
  return ::chdir(here.c_str()) == 0 ? std::string() : fault("returning to the working directory");
}

}  // namespace weir::iceoryx
