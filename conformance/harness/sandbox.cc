#include "conformance/harness/sandbox.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "conformance/harness/failure.h"

namespace weir::conformance {
namespace {

// The root of the newest sandbox, for the signal handler; empty if there is none.
std::array<char, 64> newest_root{};

// Does only what a signal handler may (signal-safety(7)).
void remove_and_exit(int signal) {
  if (const pid_t remover = fork(); remover == 0) {
    execl("/bin/rm", "rm", "-rf", "--", newest_root.data(), nullptr);
    _exit(1);
  } else if (remover > 0) {
    waitpid(remover, nullptr, 0);
  }
  _exit(128 + signal);
}

}  // namespace

Sandbox::Sandbox() {
  const char* where = std::getenv("WEIR_CONFORMANCE_SANDBOXES");
  root_ = std::string(where == nullptr ? "/dev/shm" : where) + "/weir-conformance-XXXXXX";
  if (root_.size() >= newest_root.size()) throw HarnessFailure("the path of a sandbox is too long: " + root_);
  if (mkdtemp(root_.data()) == nullptr) throw_system_failure("making the sandbox " + root_);
  name_ = std::filesystem::path(root_).filename();
  root_.copy(newest_root.data(), newest_root.size() - 1);
  struct sigaction action {};
  action.sa_handler = remove_and_exit;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
}

Sandbox::~Sandbox() { remove(); }

void Sandbox::remove() noexcept {
  std::error_code ignored;
  std::filesystem::remove_all(root_, ignored);
}

std::vector<std::string> Sandbox::entries() const {
  std::vector<std::string> entries;
  std::error_code gone;  // what vanishes while we look is not there
  std::filesystem::recursive_directory_iterator at(root_, gone);
  for (; !gone && at != std::filesystem::recursive_directory_iterator(); at.increment(gone)) {
    std::error_code ignored;
    const std::string path = std::filesystem::relative(at->path(), root_, ignored);
    entries.push_back(at->is_directory(ignored) ? path + '/' : path);
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

}  // namespace weir::conformance
