// What the environment asks of the plug-in, read once for the process.
//
//   WEIR_ZMQ_IPC=shm        ipc:// endpoints of publish and subscribe sockets go through shared memory
//   WEIR_ZMQ_PUB=block      PUB and XPUB sockets wait for subscribers on shm:// instead of losing the oldest
//   WEIR_ZMQ_RECEIVE=copy   received messages are copies, which an application may write to
//   WEIR_ZMQ_SEND=copy      messages to be sent are made in memory of the process, which a forked child has too
//   WEIR_ZMQ_MEMORY=256MiB  what the unread messages of one endpoint may take; 1 GiB otherwise
//   WEIR_ZMQ_TCP=shm|ipc    for test suites: local tcp:// endpoints go there; LAST_ENDPOINT still says tcp://
//
// Anything else in one of them ends the program with a message: a misspelt switch must not pass for the default.
#pragma once

#include <cstdint>

namespace weir::zmq_plugin {

enum class Redirect : std::uint8_t { none, shm, ipc };

struct Settings {
  Redirect ipc = Redirect::none;
  Redirect tcp = Redirect::none;
  bool publishers_block = false;
  bool copies_received = false;
  bool copies_sent = false;
  std::uint64_t memory = std::uint64_t{1} << 30U;
};

// Thread-safe.
[[nodiscard]] const Settings& settings();

}  // namespace weir::zmq_plugin
