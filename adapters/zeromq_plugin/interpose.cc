// The functions of libzmq that this library puts before libzmq's own. A socket without a side is passed on.
#include <sys/uio.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>

#include "adapters/zeromq_plugin/libzmq.h"
#include "adapters/zeromq_plugin/poll.h"
#include "adapters/zeromq_plugin/proxy.h"
#include "adapters/zeromq_plugin/registry.h"

#define WEIR_EXPORT extern "C" __attribute__((visibility("default")))

namespace weir::zmq_plugin {
namespace {

// No exception crosses into C.
template <class Call>
auto guarded(Call&& call) noexcept -> decltype(call()) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    errno = ENOMEM;
  } catch (...) {
    errno = EINVAL;
  }
  return -1;
}

Side* find(void* socket) noexcept { return Registry::find(socket); }

Frame frame_at(const void* data, std::size_t size) noexcept { return {static_cast<const std::byte*>(data), size}; }

// bind and connect, after which data calls may come here.
int attach(void* socket, const char* text, bool binds) noexcept {
  return guarded([&] {
    Side* const side = Registry::instance().side_of(socket);
    if (side == nullptr) {
      const bool is_shm = text != nullptr && std::strncmp(text, "shm://", 6) == 0;
      if (is_shm && int_option(socket, ZMQ_TYPE, -1) >= 0) return fail(ENOCOMPATPROTO);
      return binds ? libzmq().bind(socket, text) : libzmq().connect(socket, text);
    }
    const int result = side->attach(text, binds);
    const int error = errno;
    Registry::instance().note(socket, *side);
    errno = error;
    return result;
  });
}

int detach(void* socket, const char* text, bool binds) noexcept {
  return guarded([&] {
    if (Side* const side = Registry::instance().side_of(socket); side != nullptr) return side->detach(text, binds);
    return binds ? libzmq().unbind(socket, text) : libzmq().disconnect(socket, text);
  });
}

int end_context(void* context, int (*function)(void*)) noexcept {
  guarded([&] {
    Registry::instance().end(context);
    return 0;
  });
  return function(context);
}

}  // namespace
}  // namespace weir::zmq_plugin

using weir::zmq_plugin::find;
using weir::zmq_plugin::frame_at;
using weir::zmq_plugin::libzmq;
using weir::zmq_plugin::Registry;
using weir::zmq_plugin::Side;

WEIR_EXPORT void* zmq_socket(void* context, int type) {
  void* const socket = libzmq().socket(context, type);
  if (socket != nullptr && weir::zmq_plugin::is_served(type)) {
    const int added = weir::zmq_plugin::guarded([&] {
      Registry::instance().add(context, socket, type);
      return 0;
    });
    if (added != 0) {
      libzmq().close(socket);
      errno = ENOMEM;
      return nullptr;
    }
  }
  return socket;
}

WEIR_EXPORT int zmq_close(void* socket) {
  weir::zmq_plugin::guarded([&] {
    Registry::instance().remove(socket);
    return 0;
  });
  return libzmq().close(socket);
}

WEIR_EXPORT int zmq_bind(void* socket, const char* text) { return weir::zmq_plugin::attach(socket, text, true); }
WEIR_EXPORT int zmq_connect(void* socket, const char* text) { return weir::zmq_plugin::attach(socket, text, false); }
WEIR_EXPORT int zmq_unbind(void* socket, const char* text) { return weir::zmq_plugin::detach(socket, text, true); }
WEIR_EXPORT int zmq_disconnect(void* socket, const char* text) { return weir::zmq_plugin::detach(socket, text, false); }

WEIR_EXPORT int zmq_setsockopt(void* socket, int option, const void* value, size_t size) {
  const int result = libzmq().setsockopt(socket, option, value, size);
  if (result != 0) return result;
  return weir::zmq_plugin::guarded([&] {
    Side* const side = Registry::instance().side_of(socket);
    return side == nullptr ? 0 : side->note_option(option, value, size);
  });
}

WEIR_EXPORT int zmq_getsockopt(void* socket, int option, void* value, size_t* size) {
  const bool is_ours = option == ZMQ_FD || option == ZMQ_EVENTS || option == ZMQ_RCVMORE || option == ZMQ_LAST_ENDPOINT;
  if (is_ours && value != nullptr && size != nullptr && !weir::zmq_plugin::is_in_native_poll()) {
    if (Side* const side = Registry::instance().side_of(socket); side != nullptr) {
      return weir::zmq_plugin::guarded([&] { return side->get_option(option, value, size); });
    }
  }
  return libzmq().getsockopt(socket, option, value, size);
}

WEIR_EXPORT int zmq_poll(zmq_pollitem_t* items, int count, long timeout) {
  return weir::zmq_plugin::guarded([&] { return weir::zmq_plugin::run_poll(items, count, timeout); });
}

[[gnu::noinline]] static int send_by_side(void* socket, const void* data, size_t size, int flags) {
  if (Side* const side = find(socket); side != nullptr) [[unlikely]] {
    return weir::zmq_plugin::guarded([&] { return side->send(frame_at(data, size), flags); });
  }
  return libzmq().send(socket, data, size, flags);
}

WEIR_EXPORT int zmq_send(void* socket, const void* data, size_t size, int flags) {
  return Registry::is_empty() ? libzmq().send(socket, data, size, flags) : send_by_side(socket, data, size, flags);
}

[[gnu::noinline]] static int send_const_by_side(void* socket, const void* data, size_t size, int flags) {
  if (Side* const side = find(socket); side != nullptr) [[unlikely]] {
    return weir::zmq_plugin::guarded([&] { return side->send(frame_at(data, size), flags); });
  }
  return libzmq().send_const(socket, data, size, flags);
}

WEIR_EXPORT int zmq_send_const(void* socket, const void* data, size_t size, int flags) {
  return Registry::is_empty() ? libzmq().send_const(socket, data, size, flags)
                              : send_const_by_side(socket, data, size, flags);
}

[[gnu::noinline]] static int msg_send_by_side(zmq_msg_t* message, void* socket, int flags) {
  if (Side* const side = find(socket); side != nullptr) [[unlikely]] {
    return weir::zmq_plugin::guarded([&] { return side->send(*message, flags); });
  }
  return libzmq().msg_send(message, socket, flags);
}

WEIR_EXPORT int zmq_msg_send(zmq_msg_t* message, void* socket, int flags) {
  return Registry::is_empty() ? libzmq().msg_send(message, socket, flags) : msg_send_by_side(message, socket, flags);
}

WEIR_EXPORT int zmq_sendmsg(void* socket, zmq_msg_t* message, int flags) {
  return zmq_msg_send(message, socket, flags);
}

[[gnu::noinline]] static int recv_by_side(void* socket, void* buffer, size_t size, int flags) {
  if (Side* const side = find(socket); side != nullptr) [[unlikely]] {
    return weir::zmq_plugin::guarded([&] { return side->receive(buffer, size, flags); });
  }
  return libzmq().recv(socket, buffer, size, flags);
}

WEIR_EXPORT int zmq_recv(void* socket, void* buffer, size_t size, int flags) {
  return Registry::is_empty() ? libzmq().recv(socket, buffer, size, flags) : recv_by_side(socket, buffer, size, flags);
}

[[gnu::noinline]] static int msg_recv_by_side(zmq_msg_t* message, void* socket, int flags) {
  if (Side* const side = find(socket); side != nullptr) [[unlikely]] {
    return weir::zmq_plugin::guarded([&] { return side->receive(*message, flags); });
  }
  return libzmq().msg_recv(message, socket, flags);
}

WEIR_EXPORT int zmq_msg_recv(zmq_msg_t* message, void* socket, int flags) {
  return Registry::is_empty() ? libzmq().msg_recv(message, socket, flags) : msg_recv_by_side(message, socket, flags);
}

WEIR_EXPORT int zmq_recvmsg(void* socket, zmq_msg_t* message, int flags) {
  return zmq_msg_recv(message, socket, flags);
}

// As libzmq: all are sent with the flags as given, but the last without ZMQ_SNDMORE, so that only with it they are one
// message; and the result is what the last one took.
WEIR_EXPORT int zmq_sendiov(void* socket, iovec* parts, size_t count, int flags) {
  if (find(socket) == nullptr) return libzmq().sendiov(socket, parts, count, flags);
  if (count == 0 || parts == nullptr) return weir::zmq_plugin::fail(EINVAL);
  int result = 0;
  for (size_t index = 0; index < count && result >= 0; ++index) {
    if (index + 1 == count) flags &= ~ZMQ_SNDMORE;
    result = zmq_send(socket, parts[index].iov_base, parts[index].iov_len, flags);
  }
  return result;
}

// As libzmq: each part in memory of malloc, which the caller frees.
WEIR_EXPORT int zmq_recviov(void* socket, iovec* parts, size_t* count, int flags) {
  if (find(socket) == nullptr) return libzmq().recviov(socket, parts, count, flags);
  if (count == nullptr || *count == 0 || parts == nullptr) return weir::zmq_plugin::fail(EINVAL);
  const size_t room = *count;
  *count = 0;
  int more = 1;
  int received = 0;
  for (size_t index = 0; more != 0 && index < room; ++index) {
    zmq_msg_t message;
    libzmq().msg_init(&message);
    const int size = zmq_msg_recv(&message, socket, flags);
    if (size < 0) {
      libzmq().msg_close(&message);
      return -1;
    }
    parts[index].iov_len = libzmq().msg_size(&message);
    parts[index].iov_base = std::malloc(parts[index].iov_len);
    if (parts[index].iov_base == nullptr) {
      libzmq().msg_close(&message);
      return weir::zmq_plugin::fail(ENOMEM);
    }
    std::memcpy(parts[index].iov_base, libzmq().msg_data(&message), parts[index].iov_len);
    more = libzmq().msg_more(&message);
    libzmq().msg_close(&message);
    ++*count;
    ++received;
  }
  return received;
}

WEIR_EXPORT int zmq_msg_init_size(zmq_msg_t* message, size_t size) {
  if (size >= weir::zmq_plugin::lent_from) {
    const int lent = weir::zmq_plugin::guarded([&] { return weir::zmq_plugin::lend_by_guess(*message, size) ? 1 : 0; });
    if (lent == 1) return 0;
  }
  return libzmq().msg_init_size(message, size);
}

WEIR_EXPORT int zmq_socket_monitor(void* socket, const char* address, int events) {
  Side* const side = Registry::instance().side_of(socket);
  if (side == nullptr) return libzmq().socket_monitor(socket, address, events);
  return weir::zmq_plugin::guarded([&] { return side->monitor(address, events); });
}

WEIR_EXPORT int zmq_ctx_term(void* context) { return weir::zmq_plugin::end_context(context, libzmq().ctx_term); }
WEIR_EXPORT int zmq_term(void* context) { return weir::zmq_plugin::end_context(context, libzmq().ctx_term); }
WEIR_EXPORT int zmq_ctx_destroy(void* context) { return weir::zmq_plugin::end_context(context, libzmq().ctx_term); }
WEIR_EXPORT int zmq_ctx_shutdown(void* context) {
  return weir::zmq_plugin::end_context(context, libzmq().ctx_shutdown);
}

WEIR_EXPORT int zmq_proxy(void* frontend, void* backend, void* capture) {
  return weir::zmq_plugin::guarded([&] { return weir::zmq_plugin::run_proxy(frontend, backend, capture, nullptr); });
}
WEIR_EXPORT int zmq_proxy_steerable(void* frontend, void* backend, void* capture, void* control) {
  return weir::zmq_plugin::guarded([&] { return weir::zmq_plugin::run_proxy(frontend, backend, capture, control); });
}
WEIR_EXPORT int zmq_device(int /*type*/, void* frontend, void* backend) {
  return zmq_proxy(frontend, backend, nullptr);
}
