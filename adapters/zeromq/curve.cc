#include "adapters/zeromq/curve.h"

#include <cerrno>
#include <fstream>
#include <string_view>

#include <fmt/format.h>

#include "adapters/zeromq/failure.h"

namespace weir::zeromq {
namespace {

constexpr std::size_t key_size = 40;  // in Z85

struct Certificate {
  std::string public_key;
  std::string secret_key;  // empty in the public half of a pair of files
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\"";
  const std::size_t begin = text.find_first_not_of(blank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blank) - begin + 1);
}

Result<Certificate> read_certificate(const Options& options, const std::string& path, bool needs_secret) {
  errno = 0;
  std::ifstream file(path);
  if (!file) {
    const int fault = errno != 0 ? errno : ENOENT;
    return failure(fault == EACCES ? ErrorCode::permission_denied : ErrorCode::not_found,
                   fmt::format("endpoint \"{}\": the CURVE certificate \"{}\" cannot be read: {}: name a file such as "
                               "zmq.auth.create_certificates writes",
                               options.endpoint, path, zmq_strerror(fault)));
  }
  Certificate certificate;
  for (std::string line; std::getline(file, line);) {
    const std::size_t equals = line.find('=');
    const std::string_view key = trimmed(std::string_view(line).substr(0, equals));
    if (equals == std::string::npos || key.starts_with('#')) continue;
    const std::string_view value = trimmed(std::string_view(line).substr(equals + 1));
    if (key == "public-key") certificate.public_key = value;
    if (key == "secret-key") certificate.secret_key = value;
  }
  const bool whole =
      certificate.public_key.size() == key_size && (!needs_secret || certificate.secret_key.size() == key_size);
  if (!whole) {
    return failure(ErrorCode::invalid_argument,
                   fmt::format("endpoint \"{}\": \"{}\" has no public-key{} of {} characters: name {} certificate",
                               options.endpoint, path, needs_secret ? " and secret-key" : "", key_size,
                               needs_secret ? "the secret" : "the server's public"));
  }
  return certificate;
}

}  // namespace

Status set_keys(zmq::socket_ref socket, const Options& options) {
  if (options.curve.empty()) return {};
  if (zmq_has("curve") == 0) return socket_failure(options.endpoint, "option curve", ENOTSUP);
  const Result<Certificate> own = read_certificate(options, options.curve, true);
  if (!own) return tl::unexpected(own.error());
  const bool is_server = options.curve_server.empty();
  try {
    socket.set(zmq::sockopt::curve_server, is_server);
    if (!is_server) {
      const Result<Certificate> server = read_certificate(options, options.curve_server, false);
      if (!server) return tl::unexpected(server.error());
      socket.set(zmq::sockopt::curve_serverkey, server->public_key);
      socket.set(zmq::sockopt::curve_publickey, own->public_key);
    }
    socket.set(zmq::sockopt::curve_secretkey, own->secret_key);
  } catch (const zmq::error_t& thrown) {
    return failure(ErrorCode::invalid_argument,
                   fmt::format("endpoint \"{}\": a key of \"{}\" is not Z85: {}: make the certificates anew",
                               options.endpoint, options.curve, thrown.what()));
  }
  return {};
}

}  // namespace weir::zeromq
