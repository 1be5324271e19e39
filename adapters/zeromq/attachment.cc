#include "adapters/zeromq/attachment.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string_view>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "adapters/zeromq/curve.h"
#include "adapters/zeromq/failure.h"

namespace weir::zeromq {
namespace {

constexpr std::string_view ipc = "ipc://";

// A binder that was killed, or a native one that has closed, may still be there for a moment.
constexpr std::chrono::milliseconds closing_takes(500);

// The path of an ipc endpoint that is a file; empty for any other endpoint.
std::string path_of(const std::string& native) {
  if (!native.starts_with(ipc)) return {};
  std::string path = native.substr(ipc.size());
  if (path == "*" || path.starts_with("@")) return {};
  return path;
}

Status check_length(const std::string& uri, const std::string& native) {
  if (!native.starts_with(ipc)) return {};
  const std::size_t size = native.size() - ipc.size();
  if (size <= longest_ipc_path) return {};
  return failure(ErrorCode::limit_exceeded,
                 fmt::format("endpoint \"{}\": its path has {} bytes, a Unix socket has at most {}: shorten it, or use "
                             "an abstract name such as @feed",
                             uri, size, longest_ipc_path));
}

// Whether somebody accepts connections there, as errno: 0 if so.
int try_to_connect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return errno;
  const int connected = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  const int fault = connected == 0 ? 0 : errno;
  ::close(probe);
  return fault == EAGAIN ? 0 : fault;  // its backlog is full, but it is there
}

Status check_name_is_free(const std::string& uri, const std::string& path) {
  struct stat file {};
  if (lstat(path.c_str(), &file) != 0) return {};  // bind says why, unless there is none
  if (!S_ISSOCK(file.st_mode)) {
    return failure(ErrorCode::invalid_argument,
                   fmt::format("endpoint \"{}\": \"{}\" is there and is no socket, and ZeroMQ would delete it: choose "
                               "another path, or remove it yourself",
                               uri, path));
  }
  switch (const int fault = try_to_connect(path); fault) {
    case 0:
      return socket_failure(uri, fmt::format("binding ipc://{}", path), EADDRINUSE);
    case ECONNREFUSED:
    case ENOENT:
      return {};
    default:
      return socket_failure(uri, fmt::format("looking at ipc://{}", path), fault);
  }
}

// zmq_bind, again and again while a socket that was closed just now may still be there.
int bind_patiently(zmq::socket_ref socket, const std::string& native) {
  const auto give_up = std::chrono::steady_clock::now() + closing_takes;
  while (true) {
    const int fault = zmq_bind(socket.handle(), native.c_str()) == 0 ? 0 : zmq_errno();
    if (fault == EINTR) continue;
    if (fault != EADDRINUSE || std::chrono::steady_clock::now() >= give_up) return fault;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace

Status Attachment::bind(zmq::socket_ref socket, const std::string& uri, const std::string& native) {
  const std::string path = path_of(native);
  if (Status fits = check_length(uri, native); !fits) return fits;
  if (!path.empty()) {
    if (Status free = check_name_is_free(uri, path); !free) return free;
  }
  if (const int fault = bind_patiently(socket, native); fault != 0) {
    return socket_failure(uri, fmt::format("binding {}", native), fault);
  }
  bound_.push_back(socket.get(zmq::sockopt::last_endpoint));
  struct stat file {};
  if (!path.empty() && lstat(path.c_str(), &file) == 0) files_.push_back({path, file.st_dev, file.st_ino});
  return {};
}

void Attachment::release() noexcept {
  for (const File& bound : files_) {
    struct stat file {};
    const bool ours =
        lstat(bound.path.c_str(), &file) == 0 && file.st_dev == bound.device && file.st_ino == bound.inode;
    if (ours) ::unlink(bound.path.c_str());
  }
  files_.clear();
}

namespace {

// Who connects first tries again soon, and more seldom later.
constexpr int first_retry = 10;  // milliseconds
constexpr int last_retry = 100;

Status set_common_options(zmq::socket_ref socket, const Options& options) {
  const auto is_ipv6 = [](const std::string& native) { return native.find('[') != std::string::npos; };
  try {
    socket.set(zmq::sockopt::reconnect_ivl, first_retry);
    socket.set(zmq::sockopt::reconnect_ivl_max, last_retry);
    // Not otherwise: names such as localhost would resolve to addresses where IPv4 programs do not listen.
    socket.set(zmq::sockopt::ipv6, std::any_of(options.bind.begin(), options.bind.end(), is_ipv6) ||
                                       std::any_of(options.connect.begin(), options.connect.end(), is_ipv6));
  } catch (const zmq::error_t& thrown) {
    return socket_failure(options.endpoint, "setting up a socket", thrown.num());
  }
  return set_keys(socket, options);
}

}  // namespace

Result<Attachment> attach(zmq::socket_ref socket, const Options& options) {
  if (Status set = set_common_options(socket, options); !set) return tl::unexpected(set.error());
  Attachment attachment;
  for (const std::string& native : options.bind) {
    if (Status bound = attachment.bind(socket, options.endpoint, native); !bound) {
      return tl::unexpected(bound.error());
    }
  }
  for (const std::string& native : options.connect) {
    if (Status fits = check_length(options.endpoint, native); !fits) return tl::unexpected(fits.error());
    if (zmq_connect(socket.handle(), native.c_str()) != 0) {
      return socket_failure(options.endpoint, fmt::format("connecting to {}", native), zmq_errno());
    }
  }
  return attachment;
}

}  // namespace weir::zeromq
