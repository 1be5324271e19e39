#include "topic.h"

#include <fcntl.h>
#include <mqueue.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace mqueue {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view life_suffix = ".life";

// A file's name for any topic: escaped, and where that is too long ended by a hash.
std::string file_name_of(const std::string& topic) {
  constexpr std::size_t longest = 200;
  std::string name;
  std::uint64_t hash = 14695981039346656037U;  // FNV-1a
  for (const char each : topic) {
    const auto byte = static_cast<unsigned char>(each);
    hash = (hash ^ byte) * 1099511628211U;
    const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
    name += plain ? std::string(1, each) : fmt::format("%{:02x}", byte);
  }
  return name.size() <= longest ? name : fmt::format("{}-{:016x}", name.substr(0, longest), hash);
}

// Life files of this process, with their paths.
std::mutex own_lock;
std::set<std::string>& own() {
  static std::set<std::string> paths;
  return paths;
}

bool lives(const std::string& path) {
  {
    const std::lock_guard<std::mutex> lock(own_lock);
    if (own().contains(path)) return true;
  }
  const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return false;
  struct flock probe {};
  probe.l_type = F_WRLCK;
  const bool held = fcntl(file, F_GETLK, &probe) == 0 && probe.l_type != F_UNLCK;
  ::close(file);
  return held;
}

std::vector<std::string> entries(const std::string& path) {
  std::vector<std::string> names;
  std::error_code gone;
  for (fs::directory_iterator at(path, gone), end; !gone && at != end; at.increment(gone)) {
    names.push_back(at->path().filename());
  }
  return names;
}

void remove_subscriber(const std::string& path, const std::string& subscriber) noexcept {
  mq_unlink(queue_of(subscriber).c_str());
  for (const std::string& name : entries(path)) {
    if (name.starts_with(subscriber + '.')) ::unlink((path + '/' + name).c_str());
  }
}

}  // namespace

std::string queue_of(const std::string& subscriber) { return "/weir-mqueue-" + subscriber; }

std::uint64_t random_id() {
  std::uint64_t id = 0;
  while (id == 0 && getrandom(&id, sizeof(id), 0) < 0) {
  }
  return id;
}

weir::Result<Topic> Topic::at(const weir::Endpoint& endpoint) {
  const auto option = endpoint.options.find("root");
  const std::string root =
      option == endpoint.options.end() ? fmt::format("/dev/shm/weir-mqueue-{}", getuid()) : option->second;
  if (::mkdir(root.c_str(), 0700) != 0 && errno != EEXIST) {
    return weir::failure(weir::ErrorCode::permission_denied,
                         fmt::format("topic \"{}\": the root {} cannot be made: {}: give another by root=",
                                     endpoint.topic, root, std::strerror(errno)));
  }
  return Topic(endpoint.topic, root, root + '/' + file_name_of(endpoint.topic));
}

void Topic::make_directory() const noexcept { ::mkdir(path_.c_str(), 0700); }
void Topic::remove_directory_if_empty() const noexcept { ::rmdir(path_.c_str()); }

weir::Result<int> Topic::enter(const std::string& subscriber) const {
  const std::string life = path_ + '/' + subscriber + std::string(life_suffix);
  {
    const std::lock_guard<std::mutex> lock(own_lock);
    own().insert(life);
  }
  while (true) {
    make_directory();
    const int file = ::open(path_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    struct flock whole {};
    whole.l_type = F_WRLCK;
    if (file >= 0 && fcntl(file, F_SETLK, &whole) == 0 &&
        linkat(AT_FDCWD, fmt::format("/proc/self/fd/{}", file).c_str(), AT_FDCWD, life.c_str(), AT_SYMLINK_FOLLOW) ==
            0) {
      return file;
    }
    const int fault = errno;
    if (file >= 0) ::close(file);
    if (fault == ENOENT) continue;  // somebody removed the empty directory
    const std::lock_guard<std::mutex> lock(own_lock);
    own().erase(life);
    return weir::failure(fault == EMFILE || fault == ENFILE || fault == ENOSPC ? weir::ErrorCode::resource_exhausted
                                                                               : weir::ErrorCode::internal,
                         fmt::format("topic \"{}\": {} cannot be made: {}: look at the file system of root=", name_,
                                     life, std::strerror(fault)));
  }
}

void Topic::leave(const std::string& subscriber, int life) const noexcept {
  remove_subscriber(path_, subscriber);
  ::close(life);
  const std::lock_guard<std::mutex> lock(own_lock);
  own().erase(path_ + '/' + subscriber + std::string(life_suffix));
  remove_directory_if_empty();
}

std::vector<std::string> Topic::subscribers() const {
  std::vector<std::string> ids;
  for (const std::string& name : entries(path_)) {
    if (name.ends_with(life_suffix) && lives(path_ + '/' + name)) {
      ids.push_back(name.substr(0, name.size() - life_suffix.size()));
    }
  }
  return ids;
}

void Topic::sweep_root() const noexcept {
  for (const std::string& topic : entries(root_)) {
    const std::string path = root_ + '/' + topic;
    std::set<std::string> living;
    const auto all = entries(path);
    for (const std::string& name : all) {
      const std::string subscriber = name.substr(0, name.find('.'));
      if (!living.contains(subscriber) && lives(path + '/' + subscriber + std::string(life_suffix))) {
        living.insert(subscriber);
      }
      if (!living.contains(subscriber)) remove_subscriber(path, subscriber);
    }
    ::rmdir(path.c_str());
  }
}

}  // namespace mqueue
