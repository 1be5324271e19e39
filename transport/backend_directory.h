// Backends that are found when a URI first asks for them: a program that is linked with this needs to know none of
// them.
//
//   auto feed = node->subscriber("zmq+tcp://host:5555");   // loads zmq.so, if no backend that is there serves the
//   scheme
//
// NAME:// and NAME+anything:// are served by the plug-in (plugin.h) NAME.so of a directory: that which WEIR_BACKENDS
// names, or else lib/weir of the tree in which this library (or the program, if it is linked in) lies in lib or bin. An
// installed libweir.so finds iceoryx.so and zmq.so there, and what others put beside them. Who needs a certain file
// uses load_plugin().
//
// A plug-in is opened once for the process, and stays. What is there and cannot be loaded is an error that says why; it
// is tried again when it is next asked for. Thread-safe.
#pragma once

#include "transport/backend.h"
#include "transport/status.h"

namespace weir::spi {

// The backend of the directory that serves this endpoint's scheme; null if there is none. What Node asks last.
[[nodiscard]] Result<Backend*> find_in_backend_directory(const Endpoint& endpoint);

}  // namespace weir::spi
