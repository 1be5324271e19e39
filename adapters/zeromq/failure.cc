#include "adapters/zeromq/failure.h"

#include <cerrno>

#include <fmt/format.h>
#include <zmq.h>

namespace weir::zeromq {
namespace {

struct Meaning {
  ErrorCode code;
  std::string_view remedy;
};

Meaning meaning_of(int fault) {
  switch (fault) {
    case EADDRINUSE:
      return {ErrorCode::name_taken, "somebody else is bound there: choose another endpoint, or connect to it"};
    case EADDRNOTAVAIL:
    case ENODEV:
      return {ErrorCode::invalid_argument, "this machine has no such address: bind to one that it has, or to *"};
    case EINVAL:
      return {ErrorCode::invalid_argument, "write it as ZeroMQ does: tcp://host:port, ipc:///path, inproc://name"};
    case EACCES:
    case EPERM:
    case EROFS:
      return {ErrorCode::permission_denied, "choose a place that this user may write to"};
    case ENOENT:
    case ENOTDIR:
      return {ErrorCode::not_found, "make its directory first"};
    case ENAMETOOLONG:
      return {ErrorCode::limit_exceeded, "shorten the path"};
    case EPROTONOSUPPORT:
    case ENOTSUP:
      return {ErrorCode::unsupported, "this libzmq was built without it"};
    case EMFILE:
    case ENFILE:
      return {ErrorCode::resource_exhausted, "raise the limit of descriptors (ulimit -n) or close something"};
    case ENOMEM:
    case ENOBUFS:
      return {ErrorCode::resource_exhausted, "free memory"};
    case ETERM:
    case ENOTSOCK:
      return {ErrorCode::closed, "the process's ZeroMQ context was shut down: nothing can be sent any more"};
    default:
      return {ErrorCode::internal, "libzmq gives no other reason"};
  }
}

}  // namespace

Error socket_error(std::string_view endpoint, std::string_view what, int fault) {
  const Meaning meaning = meaning_of(fault);
  return {meaning.code,
          fmt::format("endpoint \"{}\": {}: {}: {}", endpoint, what, zmq_strerror(fault), meaning.remedy)};
}

tl::unexpected<Error> socket_failure(std::string_view endpoint, std::string_view what, int fault) {
  return tl::unexpected(socket_error(endpoint, what, fault));
}

}  // namespace weir::zeromq
