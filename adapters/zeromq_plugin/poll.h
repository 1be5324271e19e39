// zmq_poll where one of the sockets has a shm:// endpoint. libzmq's own asks sockets by functions of its own, past
// those that this library puts before them, if it was linked so. All other polls are left to it.
#pragma once

#include "adapters/zeromq_plugin/libzmq.h"

namespace weir::zmq_plugin {

// Returns as zmq_poll does.
[[nodiscard]] int run_poll(zmq_pollitem_t* items, int count, long timeout);

// Whether this thread is in libzmq's own zmq_poll, which shall see libzmq's own answers alone.
[[nodiscard]] bool is_in_native_poll() noexcept;

}  // namespace weir::zmq_plugin
