#include "adapters/zeromq_plugin/monitor.h"

#include <signal.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <exception>
#include <new>
#include <utility>

#include <fmt/format.h>

#include "adapters/zeromq_plugin/libzmq.h"
#include "transport/shm/segment.h"

namespace weir::zmq_plugin {
namespace {

// A monitor is for people and for tests: nothing waits for it on the data path.
constexpr int look_every_milliseconds = 10;

void close(void* socket) noexcept {
  if (socket != nullptr) libzmq().close(socket);
}

}  // namespace

std::unique_ptr<Monitor> Monitor::start(void* context, void* socket, int type, const char* address, int events) {
  static std::atomic<unsigned> count{0};
  const std::string inner = fmt::format("inproc://weir-monitor-{}", count.fetch_add(1));
  void* const target = libzmq().socket(context, ZMQ_PAIR);
  void* const native = libzmq().socket(context, ZMQ_PAIR);
  const int at_once = 0;
  const bool is_ready =
      target != nullptr && native != nullptr &&
      libzmq().setsockopt(target, ZMQ_LINGER, &at_once, sizeof(at_once)) == 0 && libzmq().bind(target, address) == 0 &&
      libzmq().socket_monitor(socket, inner.c_str(), events) == 0 && libzmq().connect(native, inner.c_str()) == 0;
  int error = errno;
  if (is_ready) {
    const Role peers = publishes(type) ? Role::subscriber : Role::publisher;
    std::unique_ptr<Monitor> monitor(new (std::nothrow) Monitor(socket, events, target, native, peers));
    if (monitor != nullptr && monitor->start_thread()) return monitor;
    error = monitor == nullptr ? ENOMEM : EAGAIN;
    if (monitor != nullptr) monitor->target_ = monitor->native_ = nullptr;
  }
  libzmq().socket_monitor(socket, nullptr, 0);
  // At once, where closing does it later: the next try may have the same address.
  if (target != nullptr) libzmq().unbind(target, address);
  close(target);
  close(native);
  errno = error;
  return nullptr;
}

// The application's signals are for its own threads.
bool Monitor::start_thread() {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool started = true;
  try {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  } catch (const std::exception&) {
    started = false;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

Monitor::~Monitor() {
  const int error = errno;
  libzmq().socket_monitor(socket_, nullptr, 0);
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  } else {
    close_sockets();
  }
  errno = error;
}

void Monitor::close_sockets() noexcept {
  close(native_);
  close(target_);
}

void Monitor::add(const Route& route, bool bound) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (bound) pending_.push_back({ZMQ_EVENT_LISTENING, route.text});
  // All kinds of subscribers are publishers on the topic of their subscriptions.
  const Endpoint& topic = peers_ == Role::subscriber ? route.subscriptions : route.topic;
  const Result<shm::Place> place = shm::place_of(topic);
  if (!place) return;
  Result<std::unique_ptr<shm::TopicDirectory>> joined = shm::TopicDirectory::join(*place);
  if (!joined) return;
  watched_.push_back({.text = route.text, .bound = bound, .topic = std::move(*joined), .epoch = 0, .peers = {}});
}

void Monitor::remove(const Route& route, bool bound) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::erase_if(watched_, [&](const Watched& watched) { return watched.text == route.text && watched.bound == bound; });
  pending_.push_back({bound ? ZMQ_EVENT_CLOSED : ZMQ_EVENT_DISCONNECTED, route.text});
}

// One event: a frame of its number and value, and one of the endpoint.
void Monitor::tell(const Event& event) {
  if ((event.event & events_) == 0) return;
  std::array<std::byte, sizeof(std::uint16_t) + sizeof(std::uint32_t)> frame{};
  const auto number = static_cast<std::uint16_t>(event.event);
  std::memcpy(frame.data(), &number, sizeof(number));
  if (libzmq().send(target_, frame.data(), frame.size(), ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0) {
    libzmq().send(target_, event.text.data(), event.text.size(), ZMQ_DONTWAIT);
  }
}

void Monitor::look_at(Watched& watched) {
  std::set<PeerId> now;
  for (const PeerId id : shm::list_segments(*watched.topic, Role::publisher)) {
    if (shm::is_alive(*watched.topic, {Role::publisher, id})) now.insert(id);
  }
  for (const PeerId id : watched.peers) {
    if (!now.contains(id)) tell({ZMQ_EVENT_DISCONNECTED, watched.text});
  }
  for (const PeerId id : now) {
    if (watched.peers.contains(id)) continue;
    tell({watched.bound ? ZMQ_EVENT_ACCEPTED : ZMQ_EVENT_CONNECTED, watched.text});
    tell({ZMQ_EVENT_HANDSHAKE_SUCCEEDED, watched.text});
  }
  watched.peers = std::move(now);
}

void Monitor::pass_on_native() {
  zmq_msg_t message;
  libzmq().msg_init(&message);
  bool passes = true;
  bool is_first = true;
  while (libzmq().msg_recv(&message, native_, ZMQ_DONTWAIT) >= 0) {
    const int more = libzmq().msg_more(&message) != 0 ? ZMQ_SNDMORE : 0;
    if (is_first) {
      std::uint16_t event = 0;
      if (libzmq().msg_size(&message) >= sizeof(event)) std::memcpy(&event, libzmq().msg_data(&message), sizeof(event));
      // That monitor ends when this one does, which tells it itself.
      passes = event != ZMQ_EVENT_MONITOR_STOPPED;
    }
    is_first = more == 0;
    // An event without its first part would pass for one: the rest goes where that went.
    if (passes) passes = libzmq().msg_send(&message, target_, more | ZMQ_DONTWAIT) >= 0;
  }
  libzmq().msg_close(&message);
}

void Monitor::run(const std::stop_token& stop) {
  bool goes_on = true;
  while (goes_on) {
    zmq_pollitem_t item{native_, 0, ZMQ_POLLIN, 0};
    // Signals are blocked, but for those by which the C library changes users: then it looks once more.
    goes_on = !stop.stop_requested() && (libzmq().poll(&item, 1, look_every_milliseconds) >= 0 || errno == EINTR);
    pass_on_native();
    const std::lock_guard<std::mutex> lock(mutex_);
    try {
      for (const Event& event : std::exchange(pending_, {})) tell(event);
      for (Watched& watched : watched_) look_at(watched);
    } catch (const std::exception&) {
      // For want of memory: the next look sees what this one has missed.
    }
  }
  tell({ZMQ_EVENT_MONITOR_STOPPED, {}});
  close_sockets();
}

}  // namespace weir::zmq_plugin
