// zmq_proxy for sockets of which one has a shm:// endpoint: libzmq's own reaches past the public functions into its
// sockets. All others are left to libzmq.
#pragma once

namespace weir::zmq_plugin {

// `capture` and `control` may be null. Returns as zmq_proxy_steerable does.
[[nodiscard]] int run_proxy(void* frontend, void* backend, void* capture, void* control);

}  // namespace weir::zmq_plugin
