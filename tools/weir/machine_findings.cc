#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <zmq.h>

#include "adapters/iceoryx/probe.h"
#include "tools/weir/console.h"
#include "tools/weir/finding.h"

namespace weir::tool {
namespace {

Finding kernel() {
  constexpr const char* remedy = "boot Linux 5.14 or newer";
  utsname name{};
  uname(&name);
  int major = 0;
  int minor = 0;
  const bool is_read = std::sscanf(name.release, "%d.%d", &major, &minor) == 2;  // NOLINT(cert-err34-c)
  const auto at_least = [&](int wanted, int second) { return major > wanted || (major == wanted && minor >= second); };
  if (!is_read || !at_least(3, 15)) {
    return {"kernel", State::problem, fmt::format("Linux {} has no open-file-description locks", name.release), remedy};
  }
  if (!at_least(5, 14)) {
    return {"kernel", State::warning, fmt::format("Linux {}: all works but the option prefault", name.release), remedy};
  }
  return {"kernel", State::ok, fmt::format("Linux {}", name.release)};
}

Finding processors() {
  const long count = sysconf(_SC_NPROCESSORS_ONLN);
  if (count > 1) return {"processors", State::ok, std::to_string(count)};
  return {"processors", State::warning, "one: a message waits until its reader is given the processor",
          "give this machine or container two processors"};
}

Finding process_file_system() {
  if (access("/proc/self/fd", R_OK | X_OK) == 0) return {"/proc", State::ok, "is there"};
  return {"/proc", State::problem, "is missing or closed to this process, and shm:// needs it",
          "mount -t proc proc /proc"};
}

// A namespace of process numbers below the first: a container.
Finding process_namespace() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("NSpid:")) continue;
    if (std::count(line.begin(), line.end(), '\t') < 2) break;
    return {
        "pid namespace", State::ok,
        "its own: topics are shared with who mounts the same root; numbers of processes elsewhere mean nothing here"};
  }
  return {"pid namespace", State::ok, "that of the machine, as far as can be seen"};
}

Finding descriptors() {
  constexpr rlim_t few = 1024;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const std::string found = fmt::format("{} for each process; a publisher or subscriber takes two", limit.rlim_cur);
  if (limit.rlim_cur >= few) return {"descriptors", State::ok, found};
  return {"descriptors", State::warning, found, fmt::format("ulimit -n {}", std::min<rlim_t>(limit.rlim_max, 65536))};
}

Finding locked_memory() {
  constexpr rlim_t little = 64U << 10U;
  rlimit limit{};
  getrlimit(RLIMIT_MEMLOCK, &limit);
  if (limit.rlim_cur == RLIM_INFINITY) return {"locked memory", State::ok, "no limit"};
  const std::string found =
      fmt::format("{}: the option mlock can have no more", bytes_text(static_cast<double>(limit.rlim_cur)));
  if (limit.rlim_cur > little || geteuid() == 0) return {"locked memory", State::ok, found};
  return {"locked memory", State::warning, found, "ulimit -l unlimited, or LimitMEMLOCK=infinity in a systemd unit"};
}

Finding mappings() {
  constexpr long few = 65530;
  long most = 0;
  std::ifstream("/proc/sys/vm/max_map_count") >> most;
  if (most == 0) return {"mappings", State::ok, "not known"};
  const std::string found = fmt::format("{} for each process; each peer takes one or more", most);
  if (most >= few) return {"mappings", State::ok, found};
  return {"mappings", State::warning, found, fmt::format("sysctl -w vm.max_map_count={}", few)};
}

Finding file_sizes() {
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  if (limit.rlim_cur == RLIM_INFINITY) return {"file sizes", State::ok, "no limit"};
  return {"file sizes", State::warning,
          fmt::format("{}: no segment and no recording can be larger", bytes_text(static_cast<double>(limit.rlim_cur))),
          "ulimit -f unlimited"};
}

Finding roudi() {
  if (!iceoryx::listening_roudi()) {
    return {"RouDi", State::ok, "does not run; only iceoryx:// needs it (to start it: iox-roudi &)"};
  }
  const auto probe = iceoryx::Probe::create();
  if (!probe) return {"RouDi", State::warning, "could not be asked: " + probe.error().message()};
  if ((*probe)->wait(after(std::chrono::seconds(2))) == iceoryx::Probe::Answer::answered) {
    return {"RouDi", State::ok, "runs and answers: iceoryx:// can be used"};
  }
  return {"RouDi", State::problem, "listens but does not answer: a process that was killed may have left it stuck",
          "kill -9 $(pidof iox-roudi); iox-roudi &   (its applications have to be started anew)"};
}

Finding libzmq() {
  int major = 0;
  int minor = 0;
  int patch = 0;
  zmq_version(&major, &minor, &patch);
  const std::string found = fmt::format("{}.{}.{}", major, minor, patch);
  if (zmq_has("curve") == 1) return {"libzmq", State::ok, found};
  return {"libzmq", State::warning, found + " without curve: zmq+tcp:// cannot be encrypted",
          "install a libzmq that was built with libsodium"};
}

}  // namespace

std::vector<Finding> findings_of_machine() {
  return {kernel(),
          processors(),
          process_file_system(),
          process_namespace(),
          descriptors(),
          locked_memory(),
          mappings(),
          file_sizes(),
          roudi(),
          libzmq()};
}

}  // namespace weir::tool
