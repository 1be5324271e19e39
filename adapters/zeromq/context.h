// The ZeroMQ context of this process: one, made when the first endpoint is opened, shared by all Nodes.
//
//   auto socket = open_socket("zmq+ipc:///tmp/feed", ZMQ_SUB);
//   if (!socket) return socket.error();
//   socket->ref().set(zmq::sockopt::rcvhwm, 8);      // cppzmq, which throws zmq::error_t
//
// At the end of the process what closed sockets still have to send is sent, for as long as each one's `linger` says.
// If a socket is open even then, as one of a static object is, nothing is waited for.
//
// A forked child inherits the memory of the context, but none of its threads: it never touches it, and gets a context
// of its own when it opens an endpoint. Thread-safe; a Socket is thread-compatible.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <zmq.hpp>

#include "transport/membership.h"
#include "transport/status.h"

namespace weir::zeromq {

// Owns a ZeroMQ socket, and keeps the end of the process from waiting for it in vain.
class Socket {
 public:
  Socket() = default;
  Socket(Socket&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)), owner_(std::exchange(other.owner_, nullptr)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(owner_, other.owner_);
    return *this;
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { close(); }

  // For all that a socket can do.
  [[nodiscard]] zmq::socket_ref ref() const noexcept { return {zmq::from_handle, handle_}; }
  // Returns at once; libzmq's threads do the rest.
  void close() noexcept;

 private:
  friend Result<Socket> open_socket(std::string_view endpoint, int type);
  Socket(void* handle, class SharedContext* owner) : handle_(handle), owner_(owner) {}

  void* handle_ = nullptr;
  SharedContext* owner_ = nullptr;  // lives for ever
};

// Errors: resource_exhausted when descriptors, threads or sockets have run out, where libzmq itself would end the
// process; closed when the process is ending. `endpoint` is for the message.
[[nodiscard]] Result<Socket> open_socket(std::string_view endpoint, int type);

// What endpoints.h tells: to be said once by a port that has bound some, and taken back with an empty list.
void tell_bound_endpoints(PeerId id, std::vector<std::string> endpoints);

// The context itself, as libzmq names it; null where none was made. For tests and for ZeroMQ's own tools (monitors).
[[nodiscard]] void* native_context() noexcept;

}  // namespace weir::zeromq
