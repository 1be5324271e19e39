// Which addresses an endpoint has bound: what to tell others when the system chose the port.
//
//   auto publisher = node.publisher("zmq+tcp://127.0.0.1:0");
//   for (const std::string& native : weir::zeromq::bound_endpoints(publisher->id())) print(native);   //
//   tcp://127.0.0.1:49153
//
// Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "transport/membership.h"

namespace weir::zeromq {

// The native endpoints that this process's publisher or subscriber of that id has bound; empty if there is none.
[[nodiscard]] std::vector<std::string> bound_endpoints(PeerId id);

}  // namespace weir::zeromq
