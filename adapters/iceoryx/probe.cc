#include "adapters/iceoryx/probe.h"

#include <dirent.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <random>

#include <fmt/format.h>
#include <iceoryx_posh/internal/runtime/ipc_interface_base.hpp>
#include <iceoryx_posh/version/version_info.hpp>

namespace weir::iceoryx {
namespace {

using iox::runtime::IpcMessage;
using iox::runtime::IpcMessageType;
using iox::runtime::IpcMessageTypeToString;

constexpr std::string_view directory = "/tmp/";
constexpr std::string_view prefix = "weir-";

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  return address;
}

// Whether somebody has this socket, or it cannot be told. False: errno is ECONNREFUSED if its owner is gone.
bool listens(const std::string& path) noexcept {
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket < 0) return true;  // no descriptor is free
  const sockaddr_un address = address_of(path);
  const int connected = ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  const int fault = errno;
  ::close(socket);
  errno = fault;
  return connected == 0;
}

std::string path_of(std::string_view name) { return std::string(directory) + std::string(name); }

IpcMessageType type_of(const std::string& message) {
  const IpcMessage parsed(message);
  return parsed.isValid() ? iox::runtime::stringToIpcMessageType(parsed.getElementAtIndex(0).c_str())
                          : IpcMessageType::NOTYPE;
}

}  // namespace

std::optional<RoudiIdentity> listening_roudi() noexcept {
  struct stat status {};
  if (::stat(roudi_socket, &status) != 0) return std::nullopt;
  if (!listens(roudi_socket)) return std::nullopt;
  constexpr std::int64_t nanoseconds = 1'000'000'000;
  return RoudiIdentity{.device = status.st_dev,
                       .inode = status.st_ino,
                       .changed = status.st_ctim.tv_sec * nanoseconds + status.st_ctim.tv_nsec};
}

std::string unique_name(std::string_view role) {
  std::random_device random;
  return fmt::format("{}{}-{}-{:08x}{:08x}", prefix, role, ::getpid(), random(), random());
}

void sweep_dead_names() noexcept {
  DIR* all = ::opendir("/tmp");
  if (all == nullptr) return;
  while (const dirent* entry = ::readdir(all)) {
    if (entry->d_type != DT_SOCK || !std::string_view(entry->d_name).starts_with(prefix)) continue;
    const std::string path = path_of(entry->d_name);
    if (!listens(path) && errno == ECONNREFUSED) {
      ::unlink(path.c_str());
      ::unlink((path + ".lock").c_str());
    }
  }
  ::closedir(all);
}

Result<std::unique_ptr<Probe>> Probe::create() {
  std::string name = unique_name("probe");
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket < 0) {
    return failure(ErrorCode::resource_exhausted,
                   fmt::format("iceoryx: socket: {}: raise the limit of descriptors (ulimit -n) or close something",
                               std::strerror(errno)));
  }
  const sockaddr_un address = address_of(path_of(name));
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    const int fault = errno;
    ::close(socket);
    return failure(
        ErrorCode::internal,
        fmt::format("iceoryx: cannot make a socket in /tmp, where RouDi looks for it: {}", std::strerror(fault)));
  }
  // RouDi may be another user of our group.
  ::chmod(path_of(name).c_str(), S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP);
  return std::unique_ptr<Probe>(new Probe(std::move(name), socket));
}

Probe::~Probe() {
  ::unlink(path_of(name_).c_str());
  ::close(socket_);
}

bool Probe::tell(const std::string& message) const {
  const sockaddr_un address = address_of(roudi_socket);
  // With the NUL that iceoryx expects.
  return ::sendto(socket_, message.c_str(), message.size() + 1, MSG_DONTWAIT | MSG_NOSIGNAL,
                  reinterpret_cast<const sockaddr*>(&address), sizeof(address)) >= 0;
}

std::string Probe::hear() const {
  std::array<char, 4096> message{};
  const ssize_t size = ::recv(socket_, message.data(), message.size() - 1, MSG_DONTWAIT);
  return size > 0 ? std::string(message.data()) : std::string();
}

Probe::Answer Probe::step() {
  for (std::string heard = hear(); !heard.empty(); heard = hear()) {
    const IpcMessageType type = type_of(heard);
    if (type == IpcMessageType::REG_ACK && stage_ == Stage::registering) {
      stage_ = Stage::leaving;
      IpcMessage farewell;
      farewell << IpcMessageTypeToString(IpcMessageType::TERMINATION) << name_;
      if (!tell(farewell.getMessage())) stage_ = Stage::idle;
    } else if (type == IpcMessageType::TERMINATION_ACK && stage_ == Stage::leaving) {
      stage_ = Stage::idle;
      return Answer::answered;
    }
  }
  if (stage_ == Stage::idle) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    IpcMessage registration;
    registration << IpcMessageTypeToString(IpcMessageType::REG) << name_ << std::to_string(::getpid())
                 << std::to_string(::geteuid())
                 << std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(now).count())
                 << static_cast<iox::cxx::Serialization>(iox::version::VersionInfo::getCurrentVersion()).toString();
    if (tell(registration.getMessage())) stage_ = Stage::registering;
  }
  return Answer::none;
}

Probe::Answer Probe::wait(Deadline deadline) {
  while (true) {
    if (step() == Answer::answered) return Answer::answered;
    if (passed(deadline)) return Answer::none;
    pollfd polled{socket_, POLLIN, 0};
    constexpr int milliseconds = 5;  // RouDi's socket may have been full
    ::poll(&polled, 1, milliseconds);
  }
}

}  // namespace weir::iceoryx
