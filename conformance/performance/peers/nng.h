// nng over ipc: pair0 for one to one, push0 and pull0 for many to one, pub0 and
// sub0 where messages may be dropped.
#pragma once

#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/pubsub0/sub.h>

#include <atomic>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "conformance/performance/failure.h"
#include "conformance/performance/peers/peer.h"

namespace weir::performance {

class Nng {
  static void check(int result, const char* what) {
    if (result != 0) [[unlikely]] {
      fail(fmt::format("nng: {}: {}", what, nng_strerror(result)));
    }
  }

  // Never closed, as its process ends soon: nng 1.5.2 may wait for ever when a subscriber is closed that has messages.
  class Socket {
   public:
    Socket(int (*open)(nng_socket*), int depth) {
      check(open(&socket_), "open");
      // Messages of any size. Protocols without a queue of their own have no length to set.
      check(nng_socket_set_size(socket_, NNG_OPT_RECVMAXSZ, 0), "set");
      static_cast<void>(nng_socket_set_int(socket_, NNG_OPT_SENDBUF, depth));
      static_cast<void>(nng_socket_set_int(socket_, NNG_OPT_RECVBUF, depth));
      check(nng_socket_set_ms(socket_, NNG_OPT_RECONNMINT, 1), "set");
    }
    [[nodiscard]] nng_socket get() const noexcept { return socket_; }

   private:
    nng_socket socket_{};
  };

 public:
  // `prefix`: of addresses, "ipc:///…/x-".
  Nng(const Task& task, std::string prefix) : task_(task), prefix_(std::move(prefix)) {}

  class Sender {
   public:
    Sender(Socket socket, std::atomic<std::uint64_t>* connected) : connected_(connected), socket_(socket) {}
    void await_receivers(std::uint64_t count) const noexcept {
      for (std::uint64_t seen = 0; (seen = connected_->load()) < count;) {
        connected_->wait(seen);
      }
    }
    template <class Fill>
    bool try_send(std::size_t size, Fill fill) {
      nng_msg* message = nullptr;
      check(nng_msg_alloc(&message, size), "msg_alloc");
      fill(std::span(static_cast<std::byte*>(nng_msg_body(message)), size));
      if (const int result = nng_sendmsg(socket_.get(), message, 0); result != 0) {
        nng_msg_free(message);
        check(result, "sendmsg");
      }
      return true;
    }

   private:
    std::atomic<std::uint64_t>* connected_;
    Socket socket_;
  };

  class Receiver {
   public:
    explicit Receiver(Socket socket) : socket_(socket) {}
    void wait() const noexcept {}
    template <class Use>
    bool try_receive(Use use) {
      nng_msg* message = nullptr;
      check(nng_recvmsg(socket_.get(), &message, 0), "recvmsg");
      use(std::span(static_cast<const std::byte*>(nng_msg_body(message)), nng_msg_len(message)));
      nng_msg_free(message);
      return true;
    }

   private:
    Socket socket_;
  };

  [[nodiscard]] Sender sender(Lane lane) const {
    Socket socket(task_.load == Load::fan_in         ? nng_push0_open
                  : task_.load == Load::publish_cost ? nng_pub0_open
                                                     : nng_pair0_open,
                  depth());
    auto* const connected = new std::atomic<std::uint64_t>(0);  // counted in by its threads, to the end of the process
    check(nng_pipe_notify(
              socket.get(), NNG_PIPE_EV_ADD_POST,
              [](nng_pipe /*pipe*/, nng_pipe_ev /*event*/, void* count) {
                static_cast<std::atomic<std::uint64_t>*>(count)->fetch_add(1);
                static_cast<std::atomic<std::uint64_t>*>(count)->notify_all();
              },
              connected),
          "pipe_notify");
    if (task_.load == Load::fan_in) {
      dial(socket, lane);
    } else {
      check(nng_listen(socket.get(), address(lane).c_str(), nullptr, 0), "listen");
    }
    return {socket, connected};
  }
  [[nodiscard]] Receiver receiver(Lane lane) const {
    Socket socket(task_.load == Load::fan_in         ? nng_pull0_open
                  : task_.load == Load::publish_cost ? nng_sub0_open
                                                     : nng_pair0_open,
                  depth());
    if (task_.load == Load::fan_in) {
      check(nng_listen(socket.get(), address(lane).c_str(), nullptr, 0), "listen");
    } else {
      if (task_.load == Load::publish_cost) {
        check(nng_socket_set(socket.get(), NNG_OPT_SUB_SUBSCRIBE, "", 0), "subscribe");
      }
      dial(socket, lane);
    }
    return Receiver(socket);
  }

 private:
  [[nodiscard]] int depth() const noexcept { return static_cast<int>(depth_for(task_)); }
  // Goes on in the background when nobody listens yet.
  void dial(const Socket& socket, Lane lane) const {
    check(nng_dial(socket.get(), address(lane).c_str(), nullptr, NNG_FLAG_NONBLOCK), "dial");
  }
  [[nodiscard]] std::string address(Lane lane) const {
    return prefix_ + (lane.direction == Direction::there ? "there" : "back") + std::to_string(lane.index);
  }

  Task task_;
  std::string prefix_;
};

static_assert(Carrier<Nng>);

}  // namespace weir::performance
