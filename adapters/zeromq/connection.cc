#include "adapters/zeromq/connection.h"

#include <utility>

#include <fmt/format.h>

#include "adapters/zeromq/envelope.h"
#include "adapters/zeromq/failure.h"
#include "adapters/zeromq/promises.h"

namespace weir::zeromq {

Connection::Connection(Options options, const Capabilities& capabilities, Socket socket, Attachment attachment,
                       int mailbox)
    : options_(std::move(options)),
      capabilities_(capabilities),
      id_(make_peer_id()),
      socket_(std::move(socket)),
      attachment_(std::move(attachment)),
      waiter_(mailbox, options_.endpoint) {
  if (!attachment_.bound().empty()) tell_bound_endpoints(id_, attachment_.bound());
}

Result<Connection> Connection::open(const Endpoint& endpoint, Role role, const std::optional<TypeInfo>& type,
                                    const ExtraOptions& extra, const Prepare& prepare) {
  Result<Options> options = read_options(endpoint, role, extra);
  if (!options) return tl::unexpected(options.error());
  if (type) {
    return failure(ErrorCode::unsupported,
                   fmt::format("endpoint \"{}\": ZeroMQ peers do not say what their bytes are, so type={} cannot be "
                               "checked: leave it out",
                               options->endpoint, type->name));
  }
  const bool publishes = role == Role::publisher;
  Result<Socket> socket = open_socket(options->endpoint, publishes ? ZMQ_XPUB : ZMQ_SUB);
  if (!socket) return tl::unexpected(socket.error());
  int mailbox = -1;
  try {
    prepare(socket->ref(), *options);
    mailbox = socket->ref().get(zmq::sockopt::fd);
  } catch (const zmq::error_t& thrown) {
    return socket_failure(options->endpoint, "setting up a socket", thrown.num());
  }
  Result<Attachment> attachment = attach(socket->ref(), *options);
  if (!attachment) return tl::unexpected(attachment.error());
  const bool filtered = !publishes && options->filters != std::vector<std::string>(1);
  const Capabilities capabilities =
      promises(endpoint.scheme != "zmq+inproc", options->envelope, filtered, options->frames);
  return Connection(std::move(*options), capabilities, std::move(*socket), std::move(*attachment), mailbox);
}

void Connection::close() noexcept {
  if (socket().handle() == nullptr) return;
  if (!attachment_.bound().empty()) tell_bound_endpoints(id_, {});
  attachment_.release();
  waiter_.close();
  socket_.close();
}

Error Connection::error(std::string_view what, int fault) const { return socket_error(options_.endpoint, what, fault); }

tl::unexpected<Error> Connection::unsupported(std::string_view why) const {
  return failure(ErrorCode::unsupported, fmt::format("endpoint \"{}\": {}", options_.endpoint, why));
}

}  // namespace weir::zeromq
