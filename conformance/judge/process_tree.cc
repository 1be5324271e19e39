#include "conformance/judge/process_tree.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

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

// Its part of each page that it shares (proc(5), smaps_rollup). Nothing of a process that has ended.
MemoryInUse memory_of(pid_t process) {
  MemoryInUse memory;
  std::ifstream file(fmt::format("/proc/{}/smaps_rollup", process));
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    std::uint64_t kibibytes = 0;
    words >> name >> kibibytes;
    if (name == "Pss_Anon:") memory.own = kibibytes << 10U;
    if (name == "Pss_Shmem:") memory.shared = kibibytes << 10U;
  }
  return memory;
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

MemoryInUse memory_of_tree(pid_t process) {
  MemoryInUse all = memory_of(process);
  for (const pid_t each : descendants_of(process)) {
    const MemoryInUse memory = memory_of(each);
    all.own += memory.own;
    all.shared += memory.shared;
  }
  return all;
}

std::size_t end_orphans() {
  std::size_t running = 0;
  while (true) {
    const pid_t reaped = waitpid(-1, nullptr, WNOHANG);
    if (reaped < 0 && errno == ECHILD) return running;
    if (reaped != 0) continue;
    const auto left = descendants_of(getpid());
    running = std::max(running, left.size());  // those of the turn before may be among them
    for (const pid_t each : left) kill(each, SIGKILL);
    waitpid(-1, nullptr, 0);
  }
}

}  // namespace weir::conformance
