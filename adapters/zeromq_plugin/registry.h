// Which side stands beside which socket.
//
// Calls on data ask find(), which for a process without shm:// endpoints is one load and a branch, and does not lock.
// All others ask side_of(), under a lock. Thread-safe, also across fork(2).
#pragma once

#include <atomic>
#include <cstddef>

#include "adapters/zeromq_plugin/side.h"

namespace weir::zmq_plugin {

class Registry {
 public:
  static Registry& instance();

  // Whether there is any that find() would find: a load, so that what follows can be a jump to libzmq.
  [[nodiscard]] static bool is_empty() noexcept { return count_.load(std::memory_order_relaxed) == 0; }
  // The side of a socket whose data calls it wants; else null.
  [[nodiscard]] static Side* find(void* socket) noexcept { return is_empty() ? nullptr : instance().look_up(socket); }
  // The side of any socket of the kinds that are served.
  [[nodiscard]] Side* side_of(void* socket);

  void add(void* context, void* socket, int type);
  // After a change of Side::wants_data_calls().
  void note(void* socket, const Side& side) noexcept;
  void remove(void* socket);
  // The context's sockets return ETERM from now on.
  void end(void* context);

 private:
  Registry();
  [[nodiscard]] Side* look_up(void* socket) const noexcept;

  struct Content;
  Content& content_;  // never destroyed: sockets may be closed by destructors of static objects
  static inline std::atomic<std::size_t> count_{0};  // NOLINT(readability-identifier-naming): private
};

}  // namespace weir::zmq_plugin
