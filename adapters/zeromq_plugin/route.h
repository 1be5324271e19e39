// Where an endpoint that an application gives to bind or connect leads.
//
//   shm://name, shm:///path/to/file       shared memory: a topic of weir of that name, or at that path
//   ipc://…  with WEIR_ZMQ_IPC=shm        the topic "ipc:" and the absolute path
//   tcp://…  with WEIR_ZMQ_TCP=shm        the topic "tcp:" and the port
//
// Every other endpoint, and every endpoint of another kind of socket but shm://, is libzmq's.
#pragma once

#include <string>
#include <string_view>

#include "adapters/zeromq_plugin/settings.h"
#include "transport/endpoint.h"

namespace weir::zmq_plugin {

// The kinds of socket that shm:// serves.
[[nodiscard]] bool is_served(int socket_type) noexcept;
[[nodiscard]] bool publishes(int socket_type) noexcept;
[[nodiscard]] bool subscribes(int socket_type) noexcept;

enum class Leads : unsigned char { to_libzmq, to_shm, nowhere };

struct Route {
  Leads leads = Leads::to_libzmq;
  int error = 0;           // of a route that leads nowhere: the errno that libzmq uses
  std::string text;        // what the application is told as its last endpoint; libzmq's own word if empty
  std::string native;      // what libzmq is given
  Endpoint topic;          // where messages go
  Endpoint subscriptions;  // where subscribers tell their subscriptions
  bool any_port = false;   // the port is to be chosen: see with_port()
};

// `text` as the application gave it.
[[nodiscard]] Route route_of(std::string_view text, int socket_type, const Settings& settings);

// The same route with this port: for tcp://…:* under WEIR_ZMQ_TCP.
[[nodiscard]] Route with_port(const Route& route, unsigned port, const Settings& settings);

}  // namespace weir::zmq_plugin
