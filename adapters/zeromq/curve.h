// CURVE: encryption and authentication of the server, with keys from certificate files as CZMQ and pyzmq
// (zmq.auth.create_certificates) write them:
//
//   metadata
//   curve
//       public-key = "40 characters of Z85"
//       secret-key = "40 characters of Z85"
//
// Option `curve` names the own certificate, with the secret key. Who has `curve_server` too, the certificate with the
// server's public key, is a client; who has not is the server, whichever of the two binds. A client that expects
// another server's key never gets through; a server lets in every client that knows its public key.
#pragma once

#include <string>

#include "adapters/zeromq/context.h"
#include "adapters/zeromq/options.h"
#include "transport/status.h"

namespace weir::zeromq {

// Sets the socket's keys; nothing if no option asks for them. Before bind and connect.
// Errors: not_found, permission_denied, invalid_argument for a file that is no certificate; unsupported by this libzmq.
[[nodiscard]] Status set_keys(zmq::socket_ref socket, const Options& options);

}  // namespace weir::zeromq
