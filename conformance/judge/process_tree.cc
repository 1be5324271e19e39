#include "conformance/judge/process_tree.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

namespace weir::conformance {
namespace {

std::vector<pid_t> children_of(pid_t process) {
  std::vector<pid_t> children;
  std::error_code gone;
  const std::filesystem::path tasks = fmt::format("/proc/{}/task", process);
  for (std::filesystem::directory_iterator at(tasks, gone), end; !gone && at != end; at.increment(gone)) {
    std::ifstream list(at->path() / "children");
    for (pid_t child = 0; list >> child;) children.push_back(child);
  }
  return children;
}

std::uint64_t private_memory_of(pid_t process) {
  std::ifstream file(fmt::format("/proc/{}/statm", process));
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  std::uint64_t shared = 0;
  if (!(file >> size >> resident >> shared) || shared > resident) return 0;
  return (resident - shared) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

std::vector<pid_t> descendants_of(pid_t process) {
  std::vector<pid_t> all = children_of(process);
  for (std::size_t at = 0; at < all.size(); ++at) {
    const auto more = children_of(all[at]);
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

std::uint64_t private_memory_of_tree(pid_t process) {
  std::uint64_t bytes = private_memory_of(process);
  for (const pid_t each : descendants_of(process)) bytes += private_memory_of(each);
  return bytes;
}

std::size_t end_orphans() {
  std::size_t running = 0;
  while (true) {
    const pid_t reaped = waitpid(-1, nullptr, WNOHANG);
    if (reaped < 0 && errno == ECHILD) return running;
    if (reaped != 0) continue;
    const auto left = descendants_of(getpid());
    running += left.size();
    for (const pid_t each : left) kill(each, SIGKILL);
    waitpid(-1, nullptr, 0);
  }
}

}  // namespace weir::conformance
