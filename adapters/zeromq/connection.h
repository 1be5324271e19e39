// What a publishing and a receiving end have in common: the options that they were opened with, a socket that is
// attached to its native endpoints, and a way to wait on it.
//
//   auto connection = Connection::open(endpoint, Role::subscriber, qos.type, qos.extra, [](zmq::socket_ref socket, …) {
//     socket.set(zmq::sockopt::rcvhwm, 8);     // before anything is bound or connected; may throw zmq::error_t
//   });
//
// Thread safety: that of the port which owns it.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include <zmq.hpp>

#include "adapters/zeromq/attachment.h"
#include "adapters/zeromq/context.h"
#include "adapters/zeromq/options.h"
#include "adapters/zeromq/waiter.h"
#include "transport/backend.h"

namespace weir::zeromq {

class Connection {
 public:
  using Prepare = std::function<void(zmq::socket_ref socket, const Options& options)>;

  // Errors: those of read_options(), open_socket() and attach(); unsupported for a type, which ZeroMQ cannot compare.
  [[nodiscard]] static Result<Connection> open(const Endpoint& endpoint, Role role, const std::optional<TypeInfo>& type,
                                               const ExtraOptions& extra, const Prepare& prepare);
  Connection(Connection&&) noexcept = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  Connection& operator=(Connection&&) = delete;
  ~Connection() { close(); }

  // Gives back names and descriptors, and leaves it to libzmq to send what is not sent yet.
  void close() noexcept;

  [[nodiscard]] const Options& options() const noexcept { return options_; }
  [[nodiscard]] const Capabilities& capabilities() const noexcept { return capabilities_; }
  [[nodiscard]] PeerId id() const noexcept { return id_; }
  [[nodiscard]] zmq::socket_ref socket() const noexcept { return socket_.ref(); }
  [[nodiscard]] Waiter& waiter() noexcept { return waiter_; }

  // What failed, as an error that names the endpoint. `fault` is an errno of libzmq.
  [[nodiscard]] Error error(std::string_view what, int fault) const;
  // Something that ZeroMQ has not, as an error that names the endpoint and `why`.
  [[nodiscard]] tl::unexpected<Error> unsupported(std::string_view why) const;

 private:
  Connection(Options options, const Capabilities& capabilities, Socket socket, Attachment attachment, int mailbox);

  Options options_;
  Capabilities capabilities_;
  PeerId id_;
  Socket socket_;
  Attachment attachment_;
  Waiter waiter_;
};

}  // namespace weir::zeromq
