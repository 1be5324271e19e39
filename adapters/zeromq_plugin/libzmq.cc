#include "adapters/zeromq_plugin/libzmq.h"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace weir::zmq_plugin {

std::atomic<const Libzmq*> internal::found_libzmq{nullptr};

namespace {

template <class Function>
void find(Function& function, const char* name) {
  void* found = dlsym(RTLD_NEXT, name);
  if (found == nullptr) {
    static void* const library = dlopen("libzmq.so.5", RTLD_LAZY | RTLD_LOCAL);
    found = library == nullptr ? nullptr : dlsym(library, name);
  }
  if (found == nullptr) {
    static_cast<void>(std::fprintf(stderr, "libweir_zmq: %s is in no libzmq: install libzmq 4.2 or later\n", name));
    std::abort();
  }
  static_assert(sizeof(function) == sizeof(found));
  std::memcpy(&function, &found, sizeof(found));
}

Libzmq look_up() {
  Libzmq table{};
  find(table.socket, "zmq_socket");
  find(table.close, "zmq_close");
  find(table.bind, "zmq_bind");
  find(table.connect, "zmq_connect");
  find(table.unbind, "zmq_unbind");
  find(table.disconnect, "zmq_disconnect");
  find(table.setsockopt, "zmq_setsockopt");
  find(table.getsockopt, "zmq_getsockopt");
  find(table.send, "zmq_send");
  find(table.send_const, "zmq_send_const");
  find(table.recv, "zmq_recv");
  find(table.sendiov, "zmq_sendiov");
  find(table.recviov, "zmq_recviov");
  find(table.msg_init, "zmq_msg_init");
  find(table.msg_init_size, "zmq_msg_init_size");
  find(table.msg_init_data, "zmq_msg_init_data");
  find(table.msg_send, "zmq_msg_send");
  find(table.msg_recv, "zmq_msg_recv");
  find(table.msg_close, "zmq_msg_close");
  find(table.msg_move, "zmq_msg_move");
  find(table.msg_copy, "zmq_msg_copy");
  find(table.msg_data, "zmq_msg_data");
  find(table.msg_size, "zmq_msg_size");
  find(table.msg_more, "zmq_msg_more");
  find(table.msg_get, "zmq_msg_get");
  find(table.poll, "zmq_poll");
  find(table.proxy, "zmq_proxy");
  find(table.proxy_steerable, "zmq_proxy_steerable");
  find(table.ctx_term, "zmq_ctx_term");
  find(table.ctx_shutdown, "zmq_ctx_shutdown");
  find(table.socket_monitor, "zmq_socket_monitor");
  return table;
}

}  // namespace

const Libzmq& internal::find_libzmq() {
  static const Libzmq table = look_up();
  found_libzmq.store(&table, std::memory_order_release);
  return table;
}

int int_option(void* socket, int option, int otherwise) noexcept {
  int value = 0;
  std::size_t size = sizeof(value);
  return libzmq().getsockopt(socket, option, &value, &size) == 0 ? value : otherwise;
}

}  // namespace weir::zmq_plugin
