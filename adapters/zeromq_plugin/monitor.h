// The events of zmq_socket_monitor for shm:// endpoints.
//
// A thread has the application's PAIR socket: it passes on what libzmq tells of the socket's other connections, and
// looks after who has come to the topics and gone from them. Peers are told by their segments in a topic's directory,
// so the thread shares nothing with the socket's own: subscribers by the topic of their subscriptions, publishers by
// that of their messages.
//
//   bind, unbind            LISTENING, CLOSED
//   a peer comes            ACCEPTED or CONNECTED, HANDSHAKE_SUCCEEDED
//   a peer goes or dies     DISCONNECTED
//   the monitor ends        MONITOR_STOPPED
//
// The event's value is 0: there is no descriptor. Thread safety: that of the socket.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "adapters/zeromq_plugin/route.h"
#include "transport/shm/topic_directory.h"

namespace weir::zmq_plugin {

class Monitor {
 public:
  // As zmq_socket_monitor. Null: errno says why.
  [[nodiscard]] static std::unique_ptr<Monitor> start(void* context, void* socket, int type, const char* address,
                                                      int events);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  // Of a parent process, whose thread it needs.
  [[nodiscard]] bool is_inherited() const noexcept { return getpid() != process_; }

  // An endpoint of the socket, from now on and until.
  void add(const Route& route, bool bound);
  void remove(const Route& route, bool bound);

 private:
  struct Watched {
    std::string text;
    bool bound;
    std::unique_ptr<shm::TopicDirectory> topic;  // in which each peer has a segment
    std::uint64_t epoch = 0;
    std::set<PeerId> peers;
  };
  struct Event {
    int event;
    std::string text;
  };

  Monitor(void* socket, int events, void* target, void* native, Role peers) noexcept
      : socket_(socket), events_(events), target_(target), native_(native), peers_(peers) {}
  [[nodiscard]] bool start_thread();
  void close_sockets() noexcept;
  void run(const std::stop_token& stop);
  void pass_on_native();
  void look_at(Watched& watched);
  void tell(const Event& event);

  pid_t process_ = getpid();
  void* socket_;
  int events_;
  void* target_;  // the application's PAIR socket, and the one that libzmq tells; both are the thread's
  void* native_;
  Role peers_;
  std::mutex mutex_;
  std::vector<Watched> watched_;
  std::vector<Event> pending_;
  std::jthread thread_;
};

}  // namespace weir::zmq_plugin
