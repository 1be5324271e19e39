// What a ZeroMQ socket has beside libzmq's own: its endpoints on shared memory, and whatever of its state matters
// there.
//
// The application's handle stays libzmq's socket, which keeps options, connections of other transports, and life and
// death of the context; a side stands beside it from zmq_socket to zmq_close. Until a shm:// endpoint comes it only
// notes the options that libzmq does not tell again.
//
// Calls return what libzmq's return, with errno set. Thread safety: that of a socket, one thread at a time; end() from
// any thread.
#pragma once

#include <atomic>
#include <cerrno>
#include <chrono>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/zeromq_plugin/libzmq.h"
#include "adapters/zeromq_plugin/messages.h"
#include "adapters/zeromq_plugin/monitor.h"
#include "adapters/zeromq_plugin/prefixes.h"
#include "adapters/zeromq_plugin/readiness.h"
#include "adapters/zeromq_plugin/receiver.h"
#include "adapters/zeromq_plugin/route.h"
#include "adapters/zeromq_plugin/sender.h"
#include "adapters/zeromq_plugin/subscriptions.h"
#include "adapters/zeromq_plugin/topics.h"

namespace weir::zmq_plugin {

class Side {
 public:
  Side(void* context, void* socket, int type);
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;
  ~Side();

  [[nodiscard]] void* context() const noexcept { return context_; }
  [[nodiscard]] int type() const noexcept { return type_; }
  // Whether data may come or go by shared memory; else all is libzmq's.
  [[nodiscard]] bool is_active() const noexcept { return !places_.empty(); }
  // Whether a call on its data must come here: XSUB sockets say their subscriptions as data.
  [[nodiscard]] bool wants_data_calls() const noexcept { return is_active() || type_ == ZMQ_XSUB; }

  // side_endpoints.cc
  int attach(const char* text, bool binds);
  int detach(const char* text, bool binds);

  // side_options.cc. note_option(): what libzmq has accepted.
  int note_option(int option, const void* value, std::size_t size);
  int get_option(int option, void* value, std::size_t* size);
  int monitor(const char* address, int events);

  // side_send.cc
  int send(zmq_msg_t& message, int flags);
  int send(Frame frame, int flags);

  // side_receive.cc
  int receive(zmq_msg_t& message, int flags);
  int receive(void* buffer, std::size_t size, int flags);

  // The context ends: calls return ETERM from now on, those that wait included. In a forked child, which has the
  // parent's descriptors, nothing.
  void end() noexcept;

 private:
  // One shm:// endpoint.
  struct Place {
    Route route;
    bool bound = false;
    std::optional<Binding> binding;
    Ref<Sender> sender;                  // PUB, XPUB
    std::optional<Listener> listener;    // XPUB
    Ref<Receiver> receiver;              // SUB, XSUB, while there is a subscription
    std::optional<Announcer> announcer;  // SUB, XSUB
  };

  // side_endpoints.cc. They return 0 or the errno.
  [[nodiscard]] int attach_by(const Route& route, bool binds);
  [[nodiscard]] int attach_to_any_port(const Route& route);
  [[nodiscard]] int attach_natively(const Route& route, bool binds);
  [[nodiscard]] int open_place(Place& place);
  [[nodiscard]] int open_sender(const Route& route, Ref<Sender>& sender);
  [[nodiscard]] int open_receiver(Place& place);
  // After it was decided anew whether they wait. All or, with an errno, none.
  [[nodiscard]] int reopen_senders();
  static void close_place(Place& place) noexcept;
  // Unread messages of one endpoint, at most.
  static constexpr std::uint64_t most_messages = 500'000;
  [[nodiscard]] std::uint64_t capacity() const noexcept;
  [[nodiscard]] bool wants_messages() const noexcept { return inverts_ || !subscriptions_.empty(); }
  // After the subscriptions have changed.
  [[nodiscard]] int announce();
  // Refused, all is as before; so with the next.
  [[nodiscard]] int subscribe(std::string_view prefix);
  [[nodiscard]] int invert(bool inverts);
  [[nodiscard]] int keep_all(bool never_drops);
  [[nodiscard]] int unsubscribe(std::string_view prefix);
  void note_sole() noexcept;

  // side_options.cc
  [[nodiscard]] int events();
  [[nodiscard]] bool native_events(int& events) const noexcept;
  [[nodiscard]] Readiness* readiness();  // null: no descriptors

  // side_send.cc
  int publish(zmq_msg_t* message, Frame last, int flags);
  [[nodiscard]] bool has_room();
  [[nodiscard]] bool sends_at_once() const noexcept;
  [[nodiscard]] int admit_first_part(int flags);
  template <class Try>
  [[nodiscard]] int with_room(const Try& attempt, int flags);
  // Who has a message already that others could not take yet.
  struct Sent {
    bool natively = false;
    std::size_t places = 0;  // so many of places_
    [[nodiscard]] bool to_somebody() const noexcept { return natively || places != 0; }
  };
  [[nodiscard]] int try_publish(std::span<const Frame> frames, zmq_msg_t* message, Sent& sent);
  [[nodiscard]] int pass_on_natively(std::span<const Frame> frames);
  [[nodiscard]] int wait_for_room(std::chrono::steady_clock::time_point deadline, unsigned attempt) noexcept;
  int send_upstream(zmq_msg_t* message, Frame frame, int flags);
  [[nodiscard]] int note_upstream(Frame frame, bool has_more);

  // side_receive.cc
  template <class Give, class Native>
  int receive_by(const Give& give, const Native& native, int flags);
  template <class Native>
  int receive_natively(const Native& native, int flags);
  enum class Arm : bool { no, yes };
  // Makes something be under way, if there is anything. With Arm::yes, nothing else lets the descriptor be quiet.
  [[nodiscard]] bool find_input(Arm arm);
  [[nodiscard]] bool find_message(Arm arm);
  [[nodiscard]] bool take_matching(const Ref<Receiver>& receiver, Arm arm);
  [[nodiscard]] bool matches(const spi::SampleRecord& sample) const noexcept;
  [[nodiscard]] bool spin_for_input();
  [[nodiscard]] int wait_for_input(int flags);
  [[nodiscard]] int sleep_for_input(std::chrono::steady_clock::time_point deadline);
  [[nodiscard]] int sleep_without_descriptor(std::chrono::steady_clock::time_point deadline);
  // Lets the application's poll end, so that it comes again.
  void nudge_if_blind() noexcept {
    if (is_blind_ && readiness_) readiness_->nudge();
  }

  [[nodiscard]] bool has_ended() const noexcept { return ended_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool is_inherited() const noexcept { return spi::process_generation() != process_; }
  // 0, or why no call is possible.
  [[nodiscard]] int obstacle() const noexcept {
    if (has_ended()) return ETERM;
    return is_inherited() ? ENOTSOCK : 0;
  }

  void* context_;
  void* socket_;
  int type_;
  std::uint64_t process_;
  std::atomic<bool> ended_{false};

  std::vector<std::unique_ptr<Place>> places_;
  Place* sole_ = nullptr;      // the only place, if libzmq has no connection of this socket
  std::size_t turn_ = 0;       // of places_
  std::size_t natives_ = 0;    // endpoints of libzmq's own
  std::string last_endpoint_;  // empty: libzmq tells
  std::optional<Readiness> readiness_;
  std::atomic<Readiness*> ready_to_end_{nullptr};  // for end()
  bool descriptor_given_ = false;                  // the application may wait on it

  Prefixes subscriptions_;
  bool inverts_ = false;
  bool never_drops_ = false;  // ZMQ_XPUB_NODROP
  bool conflates_ = false;
  std::int64_t max_message_size_ = -1;
  Verbosity verbosity_;
  // What shm:// cannot do is set: ZMQ_XPUB_MANUAL, ZMQ_XPUB_WELCOME_MSG.
  bool is_manual_ = false;
  bool has_welcome_ = false;

  Parts parts_;
  bool last_refused_ = false;  // the frame after parts_, which ends the message

  Delivery delivery_;
  Heard heard_;
  std::size_t heard_at_ = 0;  // frame of heard_.front()
  bool more_ = false;         // after the last frame received
  bool native_more_ = false;  // it came from libzmq's own
  bool natives_turn_ = false;
  bool is_armed_ = false;                     // the descriptor tells of the next message
  bool is_blind_ = false;                     // it does not: the last look had not what it needs
  std::chrono::nanoseconds expected_gap_{0};  // moving average of how long a receive waits

  std::unique_ptr<Monitor> monitor_;
};

// The result of `call`, 0 or an errno; ENOMEM if it finds no memory.
template <class Call>
int unless_out_of_memory(const Call& call) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  }
}

// Sets errno.
inline int fail(int error) noexcept {
  errno = error;
  return -1;
}

}  // namespace weir::zmq_plugin
