#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "tools/weir/console.h"
#include "tools/weir/finding.h"
#include "tools/weir/logind.h"
#include "tools/weir/target.h"

namespace weir::tool {
namespace {

constexpr const char* use_default = "unset WEIR_ROOT, or export WEIR_ROOT=/dev/shm/NAME";

// The nearest directory above a path that is there.
std::string existing_part(std::filesystem::path path) {
  std::error_code none;
  while (!std::filesystem::exists(path, none) && path != path.parent_path()) path = path.parent_path();
  return path;
}

constexpr long tmpfs = 0x01021994;
constexpr long overlayfs = 0x794c7630;

// Where the file system of a directory that is there is mounted, as far as the numbers of devices tell.
std::string mount_point_of(std::filesystem::path path) {
  struct stat here {};
  struct stat above {};
  if (stat(path.c_str(), &here) != 0) return path;
  while (path != path.parent_path() && stat(path.parent_path().c_str(), &above) == 0 && above.st_dev == here.st_dev) {
    path = path.parent_path();
  }
  return path;
}

Finding file_system(const std::string& there) {
  struct statfs status {};
  if (statfs(there.c_str(), &status) != 0) {
    return {"file system", State::problem, fmt::format("{} cannot be examined: {}", there, std::strerror(errno)),
            use_default};
  }
  const auto type = static_cast<long>(status.f_type);
  if (type == overlayfs) {
    return {"file system", State::problem, fmt::format("{} is on an overlayfs, which loses locks", there),
            fmt::format("{}; or mount a volume there", use_default)};
  }
  if (type != tmpfs) {
    return {"file system", State::warning,
            fmt::format("{} is no tmpfs: pages that are written back stall a publisher for milliseconds", there),
            use_default};
  }
  return {"file system", State::ok, fmt::format("{} is on a tmpfs", there)};
}

Finding space(const std::string& there) {
  constexpr std::uint64_t little = 64ULL << 20U;
  constexpr std::uint64_t few_files = 1000;
  struct statvfs status {};
  struct statfs kind {};
  if (statvfs(there.c_str(), &status) != 0 || statfs(there.c_str(), &kind) != 0) {
    return {"shared memory", State::problem, fmt::format("{} cannot be examined: {}", there, std::strerror(errno))};
  }
  const bool is_tmpfs = static_cast<long>(kind.f_type) == tmpfs;
  const std::uint64_t size = status.f_blocks * status.f_frsize;
  const std::uint64_t free = status.f_bavail * status.f_frsize;
  const std::string found =
      fmt::format("{} free of {}", bytes_text(static_cast<double>(free)), bytes_text(static_cast<double>(size)));
  const std::string mounted = mount_point_of(there);
  // What makes room: other file systems are not enlarged by a word to mount(8).
  const auto enlarge = [&](const std::string& option) {
    return is_tmpfs ? fmt::format("weir clean; mount -o remount,{} {}", option, mounted)
                    : fmt::format("weir clean; remove other files below {}; or {}", mounted, use_default);
  };
  const std::string larger = enlarge(fmt::format("size={}m", std::max<std::uint64_t>(1024, 2 * (size >> 20U))));
  if (status.f_files != 0 && status.f_favail < few_files) {
    return {"shared memory", State::problem, fmt::format("{} files can be made yet", status.f_favail),
            enlarge("nr_inodes=1m")};
  }
  if (is_tmpfs && status.f_blocks == 0) return {"shared memory", State::ok, "no limit but the memory of the machine"};
  if (free < size / 50) return {"shared memory", State::problem, found + ": loans will fail", larger};
  if (free < size / 10) return {"shared memory", State::warning, found, larger};
  if (size <= little) {
    return {"shared memory", State::warning, found + ", as little as a container has by default",
            is_tmpfs ? fmt::format("docker run --shm-size=1g …, or mount -o remount,size=1g {}", mounted) : larger};
  }
  return {"shared memory", State::ok, found};
}

Finding permissions(const std::string& root, const std::string& there) {
  constexpr unsigned shared = S_ISGID | S_ISVTX;  // with a group: transport/shm/sharing.h
  struct stat status {};
  if (stat(there.c_str(), &status) != 0 || access(there.c_str(), R_OK | W_OK | X_OK) != 0) {
    return {"permissions", State::problem, fmt::format("this user may not make topics in {}", there),
            fmt::format("{}; or share it with a group (docs/operations.md, Users and permissions)", use_default)};
  }
  if (there == root) {  // so this makes nothing
    if (const Result<shm::File> opened = shm::open_root(root); !opened) {
      return {"permissions", State::problem, opened.error().message(), use_default};
    }
  }
  if (there == root.substr(0, root.rfind('/')) && status.st_uid != geteuid() && (status.st_mode & shared) != shared) {
    return {"permissions", State::problem,
            fmt::format("{} belongs to user {}, and no group shares it", there, status.st_uid),
            fmt::format("{}; or share it with a group (docs/operations.md, Users and permissions)", use_default)};
  }
  return {"permissions", State::ok,
          fmt::format("{} belongs to user {}, mode {:o}", there, status.st_uid,
                      static_cast<unsigned>(status.st_mode) & 07777U)};
}

Finding remove_ipc(const std::string& root) {
  constexpr uid_t first_ordinary_user = 1000;
  std::error_code none;
  if (!std::filesystem::exists("/run/systemd/seats", none)) {
    return {"RemoveIPC", State::ok, "no logind runs here that could remove topics"};
  }
  if (!root.starts_with("/dev/shm/") || geteuid() < first_ordinary_user) {
    return {"RemoveIPC", State::ok, "does not concern this root and user"};
  }
  if (!logind_removes_ipc()) return {"RemoveIPC", State::ok, "is off"};
  return {"RemoveIPC", State::warning, "logind removes this user's topics when the user's last session ends",
          "echo RemoveIPC=no >> /etc/systemd/logind.conf; systemctl restart systemd-logind"};
}

Finding topics(const shm::Observer& observer) {
  const auto is_dead = [](const shm::ObservedMember& member) { return member.condition == shm::Condition::dead; };
  std::size_t dead = 0;
  std::vector<shm::ObservedTopic> observed = observer.topics();
  for (const shm::ObservedTopic& topic : observed) {
    if (!topic.problem.empty()) {
      return {"topics", State::problem, fmt::format("\"{}\": {}", topic.topic, topic.problem),
              "end the processes of this topic (weir list) and start them anew"};
    }
    dead += static_cast<std::size_t>(std::count_if(topic.publishers.begin(), topic.publishers.end(), is_dead) +
                                     std::count_if(topic.subscribers.begin(), topic.subscribers.end(), is_dead));
  }
  if (dead != 0) {
    return {"topics", State::warning, fmt::format("{}; {} dead members have left files", observed.size(), dead),
            "weir clean"};
  }
  return {"topics", State::ok, fmt::format("{}, and nothing left by dead processes", observed.size())};
}

// Processes that have files below this directory mapped, as far as this user may know.
std::vector<std::string> processes_in(const std::string& directory) {
  std::vector<std::string> pids;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", none)) {
    const std::string pid = entry.path().filename();
    if (!std::all_of(pid.begin(), pid.end(), [](char c) { return c >= '0' && c <= '9'; })) continue;
    std::ifstream maps(entry.path() / "maps");
    for (std::string line; std::getline(maps, line);) {
      if (line.find(directory + "/") == std::string::npos) continue;
      pids.push_back(pid);
      break;
    }
  }
  return pids;
}

Finding other_versions(const shm::Observer& observer, const std::string& root) {
  const std::vector<shm::OtherLayout> others = observer.other_layouts();
  const std::string parent = root.substr(0, root.rfind('/'));
  std::string found;
  bool is_used = false;
  for (const shm::OtherLayout& other : others) {
    const std::vector<std::string> pids = processes_in(fmt::format("{}/{}", parent, other.name));
    is_used = is_used || !pids.empty();
    found +=
        fmt::format("{}{}: {} topics, used by {}", found.empty() ? "" : "; ", other.name, other.topics,
                    pids.empty() ? "no process that can be seen" : fmt::format("process {}", fmt::join(pids, ", ")));
  }
  if (others.empty()) return {"other versions", State::ok, "no other version of weir has topics here"};
  if (is_used) {
    return {"other versions", State::warning, found + ": these and this version do not see each other",
            "start these processes anew with this version of weir"};
  }
  return {"other versions", State::ok, found};
}

}  // namespace

std::vector<Finding> findings_of_root(const Endpoint& backend, const std::string& root) {
  const std::string there = existing_part(root);
  std::vector<Finding> findings{file_system(there), space(there), permissions(root, there), remove_ipc(root)};
  const auto observer = observe(backend);
  if (!observer) {
    findings.push_back({"topics", State::problem, observer.error().message(), use_default});
  } else if (!*observer) {
    findings.push_back({"topics", State::ok, fmt::format("nobody has used {} yet", root)});
  } else {
    findings.push_back(topics(**observer));
    findings.push_back(other_versions(**observer, root));
  }
  return findings;
}

}  // namespace weir::tool
