// libzmq through its C interface, as its guide uses it: PAIR for one to one,
// XPUB with XPUB_NODROP and SUB where nothing may be lost, PUB and SUB where it
// may, PUSH and PULL for many to one.
#pragma once

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <zmq.h>

#include "conformance/performance/failure.h"
#include "conformance/performance/loads/many_topics.h"
#include "conformance/performance/peers/peer.h"

namespace weir::performance {

class ZeroMq {
 public:
  // `prefix`: of addresses, "ipc:///…/x-" or "inproc://x-".
  ZeroMq(const Task& task, std::string prefix) : task_(task), prefix_(std::move(prefix)) {}

  class Socket {
   public:
    // `depth`: of its queues, each way; what is bound or connected later has it.
    Socket(int type, int depth) : socket_(zmq_socket(context(), type)) {
      check(socket_ == nullptr ? -1 : 0, "socket");
      set(ZMQ_SNDHWM, depth);
      set(ZMQ_RCVHWM, depth);
      set(ZMQ_RECONNECT_IVL, 1);  // ms: who starts before the other does not sit out 100
    }
    void set(int option, int value) { check(zmq_setsockopt(get(), option, &value, sizeof(value)), "setsockopt"); }
    void bind(const std::string& address) { check(zmq_bind(get(), address.c_str()), "bind"); }
    void connect(const std::string& address) { check(zmq_connect(get(), address.c_str()), "connect"); }
    [[nodiscard]] void* get() const noexcept { return socket_.get(); }
    static void check(int result, const char* what) {
      if (result < 0) [[unlikely]] {
        fail(fmt::format("libzmq: {}: {}", what, zmq_strerror(zmq_errno())));
      }
    }

   private:
    struct Close {
      void operator()(void* socket) const noexcept { zmq_close(socket); }
    };
    // One in each process, never ended: the process is.
    static void* context() {
      static void* const made = [] {
        void* const context = zmq_ctx_new();
        zmq_ctx_set(context, ZMQ_MAX_SOCKETS, 65535);
        return context;
      }();
      return made;
    }
    std::unique_ptr<void, Close> socket_;
  };

  class Sender {
   public:
    Sender(Socket socket, bool counts, bool blocking)
        : socket_(std::move(socket)), counts_(counts), flags_(blocking ? 0 : ZMQ_DONTWAIT) {}
    // XPUB gets a message for each subscription.
    void await_receivers(std::uint64_t count) {
      for (; counts_ && count > 0; --count) {
        std::array<char, 16> subscription{};
        Socket::check(zmq_recv(socket_.get(), subscription.data(), subscription.size(), 0), "recv");
      }
    }
    template <class Fill>
    bool try_send(std::size_t size, Fill fill) {
      zmq_msg_t message;
      Socket::check(zmq_msg_init_size(&message, size), "msg_init_size");
      fill(std::span(static_cast<std::byte*>(zmq_msg_data(&message)), size));
      if (zmq_msg_send(&message, socket_.get(), flags_) < 0) [[unlikely]] {
        const int reason = zmq_errno();
        zmq_msg_close(&message);
        return reason == EAGAIN || reason == EINTR ? false : (Socket::check(-1, "send"), false);
      }
      return true;
    }

   private:
    Socket socket_;
    bool counts_;
    int flags_;
  };

  class Receiver {
   public:
    Receiver(Socket socket, bool blocking) : socket_(std::move(socket)), flags_(blocking ? 0 : ZMQ_DONTWAIT) {}
    void wait() const noexcept {}
    [[nodiscard]] void* socket() const noexcept { return socket_.get(); }
    template <class Use>
    bool try_receive(Use use) {
      return try_receive(use, flags_);
    }
    template <class Use>
    bool try_receive(Use use, int flags) {
      zmq_msg_t message;
      zmq_msg_init(&message);
      if (zmq_msg_recv(&message, socket_.get(), flags) < 0) {
        const int reason = zmq_errno();
        zmq_msg_close(&message);
        return reason == EAGAIN || reason == EINTR ? false : (Socket::check(-1, "recv"), false);
      }
      use(std::span(static_cast<const std::byte*>(zmq_msg_data(&message)), zmq_msg_size(&message)));
      zmq_msg_close(&message);
      return true;
    }

   private:
    Socket socket_;
    int flags_;
  };

  class Listener {
   public:
    explicit Listener(std::vector<Receiver> receivers) : receivers_(std::move(receivers)) {
      for (const Receiver& receiver : receivers_) {
        items_.push_back({.socket = receiver.socket(), .fd = -1, .events = ZMQ_POLLIN, .revents = 0});
      }
    }
    template <class Use>
    void receive(Use use) {
      for (bool received = false; !received;) {
        Socket::check(zmq_poll(items_.data(), static_cast<int>(items_.size()), -1), "poll");
        for (std::size_t at = 0; at < items_.size(); ++at) {
          while ((items_[at].revents & ZMQ_POLLIN) != 0 && receivers_[at].try_receive(use, ZMQ_DONTWAIT)) {
            received = true;
          }
        }
      }
    }

   private:
    std::vector<Receiver> receivers_;
    std::vector<zmq_pollitem_t> items_;
  };

  // Where one receives what several send, the receiver binds; else the sender
  // does.
  [[nodiscard]] Sender sender(Lane lane) const {
    Socket socket(task_.load == Load::fan_in ? ZMQ_PUSH : one_to_one() ? ZMQ_PAIR : ZMQ_XPUB, depth());
    if (!one_to_one() && task_.load != Load::fan_in) {
      socket.set(ZMQ_XPUB_VERBOSER, 1);
      socket.set(ZMQ_XPUB_NODROP, task_.load == Load::publish_cost ? 0 : 1);
    }
    if (task_.load == Load::fan_in) {
      socket.connect(address(lane));
    } else {
      socket.bind(address(lane));
    }
    return {std::move(socket), !one_to_one() && task_.load != Load::fan_in,
            task_.blocking && task_.load != Load::publish_cost};
  }
  [[nodiscard]] Receiver receiver(Lane lane) const {
    Socket socket(task_.load == Load::fan_in ? ZMQ_PULL : one_to_one() ? ZMQ_PAIR : ZMQ_SUB, depth());
    if (task_.load == Load::fan_in) {
      socket.bind(address(lane));
    } else {
      if (!one_to_one()) {
        Socket::check(zmq_setsockopt(socket.get(), ZMQ_SUBSCRIBE, "", 0), "setsockopt");
      }
      socket.connect(address(lane));
    }
    return {std::move(socket), task_.blocking};
  }
  [[nodiscard]] Listener listener(std::uint64_t count) const {
    std::vector<Receiver> receivers;
    receivers.reserve(count);
    for (std::uint64_t lane = 0; lane < count; ++lane) {
      receivers.push_back(receiver({.index = lane}));
    }
    return Listener(std::move(receivers));
  }

 private:
  [[nodiscard]] bool one_to_one() const noexcept {
    return task_.load == Load::latency || task_.load == Load::stream || task_.load == Load::many_topics;
  }
  [[nodiscard]] int depth() const noexcept { return static_cast<int>(depth_for(task_)); }
  [[nodiscard]] std::string address(Lane lane) const {
    return prefix_ + (lane.direction == Direction::there ? "there" : "back") + std::to_string(lane.index);
  }

  Task task_;
  std::string prefix_;
};

static_assert(ListeningCarrier<ZeroMq>);

}  // namespace weir::performance
