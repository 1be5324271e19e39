#include "adapters/zeromq_plugin/proxy.h"

#include <array>
#include <cerrno>
#include <string_view>

#include "adapters/zeromq_plugin/registry.h"

namespace weir::zmq_plugin {
namespace {

bool is_active(void* socket) {
  if (socket == nullptr) return false;
  const Side* const side = Registry::find(socket);
  return side != nullptr && side->is_active();
}

class Message {
 public:
  Message() { libzmq().msg_init(&message_); }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  ~Message() { libzmq().msg_close(&message_); }
  zmq_msg_t* get() noexcept { return &message_; }

 private:
  zmq_msg_t message_;
};

// As libzmq's: up to so many messages of one direction before the other has its turn.
constexpr int most_in_a_row = 1000;

// Moves one message of any number of frames. 0; 1: there is none; -1 with errno, also when it was refused in time.
int forward(void* from, void* to, void* capture) {
  Message message;
  if (zmq_msg_recv(message.get(), from, ZMQ_DONTWAIT) < 0) return errno == EAGAIN ? 1 : -1;
  while (true) {
    const int more = libzmq().msg_more(message.get()) != 0 ? ZMQ_SNDMORE : 0;
    if (capture != nullptr) {
      Message copy;
      if (libzmq().msg_copy(copy.get(), message.get()) != 0) return -1;
      if (zmq_msg_send(copy.get(), capture, more) < 0) return -1;
    }
    if (zmq_msg_send(message.get(), to, more) < 0) return -1;
    if (more == 0) return 0;
    if (zmq_msg_recv(message.get(), from, 0) < 0) return -1;
  }
}

int forward_all(void* from, void* to, void* capture) {
  for (int count = 0; count < most_in_a_row; ++count) {
    if (const int result = forward(from, to, capture); result != 0) return result < 0 ? -1 : 0;
  }
  return 0;
}

enum class Order : unsigned char { go_on, pause, terminate };

// STATISTICS is not served: what libzmq counts is not the public interface's.
int read_order(void* control, Order& order) {
  Message message;
  if (zmq_msg_recv(message.get(), control, 0) < 0) return -1;
  const Frame frame = frame_of(*message.get());
  const std::string_view word(reinterpret_cast<const char*>(frame.data()), frame.size());
  if (word == "PAUSE") {
    order = Order::pause;
  } else if (word == "RESUME") {
    order = Order::go_on;
  } else if (word == "TERMINATE") {
    order = Order::terminate;
  } else {
    errno = EINVAL;
    return -1;
  }
  return 0;
}

int run(void* frontend, void* backend, void* capture, void* control) {
  Order order = Order::go_on;
  while (order != Order::terminate) {
    std::array<zmq_pollitem_t, 3> items{
        {{frontend, 0, ZMQ_POLLIN, 0}, {backend, 0, ZMQ_POLLIN, 0}, {control, 0, ZMQ_POLLIN, 0}}};
    // Paused, only the order to go on is waited for.
    zmq_pollitem_t* const first = order == Order::pause ? &items[2] : items.data();
    const int count = order == Order::pause ? 1 : control == nullptr ? 2 : 3;
    if (zmq_poll(first, count, -1) < 0) return -1;
    if (control != nullptr && (items[2].revents & ZMQ_POLLIN) != 0 && read_order(control, order) != 0) return -1;
    if (order != Order::go_on) continue;
    if ((items[0].revents & ZMQ_POLLIN) != 0 && forward_all(frontend, backend, capture) != 0) return -1;
    if (frontend != backend && (items[1].revents & ZMQ_POLLIN) != 0 && forward_all(backend, frontend, capture) != 0) {
      return -1;
    }
  }
  return 0;
}

}  // namespace

int run_proxy(void* frontend, void* backend, void* capture, void* control) {
  if (is_active(frontend) || is_active(backend) || is_active(capture) || is_active(control)) {
    return run(frontend, backend, capture, control);
  }
  return control == nullptr ? libzmq().proxy(frontend, backend, capture)
                            : libzmq().proxy_steerable(frontend, backend, capture, control);
}

}  // namespace weir::zmq_plugin
