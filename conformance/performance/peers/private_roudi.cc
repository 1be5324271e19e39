#include "conformance/performance/peers/private_roudi.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <fstream>
#include <memory>

#include <fmt/format.h>

#include "adapters/iceoryx/roudi_process.h"
#include "conformance/performance/failure.h"

namespace weir::performance {
namespace {

// For every size that is measured, with room for the header of a chunk.
std::vector<iceoryx::Pool> pools() {
  constexpr std::uint64_t header = 64;
  constexpr std::uint64_t kibibyte = 1024;
  constexpr std::uint64_t mebibyte = 1024 * kibibyte;
  return {{64 + header, 8192},           {kibibyte + header, 1024}, {4 * kibibyte + header, 1024},
          {64 * kibibyte + header, 512}, {mebibyte + header, 48},   {4 * mebibyte + header, 16},
          {64 * mebibyte + header, 6}};
}

[[noreturn]] void give_up(int pipe, const std::string& reason) {
  [[maybe_unused]] const ssize_t written = write(pipe, reason.data(), reason.size());
  _exit(1);
}

void write_file(const char* path, const std::string& text) {
  std::ofstream file(path);
  file << text << std::flush;
}

// As root, or as a user where users may have namespaces.
bool unshare_mounts() {
  if (unshare(CLONE_NEWNS) == 0) {
    return true;
  }
  const uid_t user = geteuid();
  const gid_t group = getegid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
    return false;
  }
  write_file("/proc/self/setgroups", "deny");
  write_file("/proc/self/uid_map", fmt::format("{0} {0} 1", user));
  write_file("/proc/self/gid_map", fmt::format("{0} {0} 1", group));
  return true;
}

// The keeper: says "=" when RouDi runs, and ends it when `end` is closed.
[[noreturn]] void keep(int said, int end) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGINT, SIG_IGN);
  if (!unshare_mounts() || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("weir", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") != 0 ||
      mount("weir", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") != 0) {
    give_up(said, fmt::format("mounts of its own: {}", std::strerror(errno)));
  }
  try {
    auto roudi = iceoryx::RoudiProcess::start(pools());
    if (!roudi) {
      give_up(said, roudi.error().message());
    }
    [[maybe_unused]] const ssize_t written = write(said, "=", 1);
    char ignored = 0;
    while (read(end, &ignored, 1) < 0 && errno == EINTR) {
    }
  } catch (const std::exception& thrown) {
    give_up(said, thrown.what());
  }
  _exit(0);
}

class Keeper {
 public:
  Keeper() {
    std::array<int, 2> said{};
    std::array<int, 2> end{};
    if (pipe2(said.data(), O_CLOEXEC) != 0 || pipe2(end.data(), O_CLOEXEC) != 0) {
      fail(fmt::format("making pipes: {}", std::strerror(errno)));
    }
    pid_ = fork();
    if (pid_ == 0) {
      close(end[1]);
      keep(said[1], end[0]);
    }
    close(said[1]);
    close(end[0]);
    end_ = end[1];
    std::array<char, 512> text{};
    const ssize_t size = read(said[0], text.data(), text.size());
    close(said[0]);
    if (size != 1 || text[0] != '=') {
      reason_ = size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : "its keeper ended";
    }
  }
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;
  ~Keeper() {
    close(end_);
    if (getpid() == owner_) {
      while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
      }
    }
  }
  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

 private:
  pid_t owner_ = getpid();
  pid_t pid_ = -1;
  int end_ = -1;
  std::string reason_;
};

std::unique_ptr<Keeper>& keeper() {
  static std::unique_ptr<Keeper> one;
  return one;
}

bool enter_namespace(const char* kind, int type) {
  const int file = open(fmt::format("/proc/{}/ns/{}", keeper()->pid(), kind).c_str(), O_RDONLY | O_CLOEXEC);
  const bool entered = file >= 0 && setns(file, type) == 0;
  close(file);
  return entered;
}

}  // namespace

std::string PrivateRoudi::start() {
  if (!keeper()) {
    keeper() = std::make_unique<Keeper>();
  }
  return keeper()->reason();
}

void PrivateRoudi::end() { keeper().reset(); }

void PrivateRoudi::enter() {
  if (!enter_namespace("mnt", CLONE_NEWNS) &&
      !(enter_namespace("user", CLONE_NEWUSER) && enter_namespace("mnt", CLONE_NEWNS))) {
    fail(fmt::format("entering the mounts of RouDi: {}", std::strerror(errno)));
  }
}

}  // namespace weir::performance
