// libzmq's own functions, beneath the ones that the plug-in puts before them.
//
//   libzmq().msg_close(&message);
//
// They are looked up behind this library in the order in which the dynamic linker searches, and where that does not
// reach (Python loads libzmq for itself alone), in the libzmq that this library is linked against. Thread-safe.
#pragma once

#include <atomic>

#include <zmq.h>

namespace weir::zmq_plugin {

struct Libzmq {
  void* (*socket)(void*, int);
  int (*close)(void*);
  int (*bind)(void*, const char*);
  int (*connect)(void*, const char*);
  int (*unbind)(void*, const char*);
  int (*disconnect)(void*, const char*);
  int (*setsockopt)(void*, int, const void*, size_t);
  int (*getsockopt)(void*, int, void*, size_t*);
  int (*send)(void*, const void*, size_t, int);
  int (*send_const)(void*, const void*, size_t, int);
  int (*recv)(void*, void*, size_t, int);
  int (*sendiov)(void*, iovec*, size_t, int);
  int (*recviov)(void*, iovec*, size_t*, int);
  int (*msg_init)(zmq_msg_t*);
  int (*msg_init_size)(zmq_msg_t*, size_t);
  int (*msg_init_data)(zmq_msg_t*, void*, size_t, zmq_free_fn*, void*);
  int (*msg_send)(zmq_msg_t*, void*, int);
  int (*msg_recv)(zmq_msg_t*, void*, int);
  int (*msg_close)(zmq_msg_t*);
  int (*msg_move)(zmq_msg_t*, zmq_msg_t*);
  int (*msg_copy)(zmq_msg_t*, zmq_msg_t*);
  void* (*msg_data)(zmq_msg_t*);
  size_t (*msg_size)(const zmq_msg_t*);
  int (*msg_more)(const zmq_msg_t*);
  int (*msg_get)(const zmq_msg_t*, int);
  int (*poll)(zmq_pollitem_t*, int, long);
  int (*proxy)(void*, void*, void*);
  int (*proxy_steerable)(void*, void*, void*, void*);
  int (*ctx_term)(void*);
  int (*ctx_shutdown)(void*);
  int (*socket_monitor)(void*, const char*, int);
};

namespace internal {
extern std::atomic<const Libzmq*> found_libzmq;
const Libzmq& find_libzmq();
}  // namespace internal

// Ends the process with a message if a function is missing: then no libzmq of version 4.2 or later is there at all.
inline const Libzmq& libzmq() {
  const Libzmq* const found = internal::found_libzmq.load(std::memory_order_acquire);
  return found != nullptr ? *found : internal::find_libzmq();
}

// The options of a socket that libzmq tells; `otherwise` if it does not.
[[nodiscard]] int int_option(void* socket, int option, int otherwise) noexcept;

}  // namespace weir::zmq_plugin
