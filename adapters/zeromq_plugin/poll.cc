#include "adapters/zeromq_plugin/poll.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "adapters/zeromq_plugin/registry.h"
#include "transport/deadline.h"

namespace weir::zmq_plugin {
namespace {

thread_local constinit bool in_native_poll = false;

// Polls of more items than this take memory each time.
constexpr std::size_t few = 16;
// Longer ones are without end.
constexpr std::chrono::milliseconds longest_wait = std::chrono::years(10);

bool has_active(std::span<const zmq_pollitem_t> items) noexcept {
  return std::any_of(items.begin(), items.end(), [](const zmq_pollitem_t& item) {
    const Side* const side = item.socket == nullptr ? nullptr : Registry::find(item.socket);
    return side != nullptr && side->is_active();
  });
}

// The socket's own ZMQ_FD or ZMQ_EVENTS.
int ask(void* socket, int option, int& value) {
  std::size_t size = sizeof(value);
  Side* const side = Registry::find(socket);
  return side != nullptr && side->is_active() ? side->get_option(option, &value, &size)
                                              : libzmq().getsockopt(socket, option, &value, &size);
}

struct Pair {
  short zmq;
  short system;
};
constexpr std::array<Pair, 3> pairs{{{ZMQ_POLLIN, POLLIN}, {ZMQ_POLLOUT, POLLOUT}, {ZMQ_POLLPRI, POLLPRI}}};

// What to wait for on an item's descriptor. A socket's is readable whatever happens to it.
int prepare(const zmq_pollitem_t& item, pollfd& descriptor) {
  descriptor = {.fd = item.fd, .events = 0, .revents = 0};
  if (item.socket != nullptr) {
    if (item.events != 0) descriptor.events = POLLIN;
    return ask(item.socket, ZMQ_FD, descriptor.fd);
  }
  for (const auto& [zmq, system] : pairs) {
    if ((item.events & zmq) != 0) descriptor.events = static_cast<short>(descriptor.events | system);
  }
  return 0;
}

// What has become of an item.
int note(zmq_pollitem_t& item, const pollfd& descriptor) {
  item.revents = 0;
  if (item.socket != nullptr) {
    int events = 0;
    if (ask(item.socket, ZMQ_EVENTS, events) != 0) return -1;
    item.revents = static_cast<short>(events & item.events & (ZMQ_POLLIN | ZMQ_POLLOUT));
    return 0;
  }
  int others = descriptor.revents;
  for (const auto& [zmq, system] : pairs) {
    if ((descriptor.revents & system) != 0) item.revents = static_cast<short>(item.revents | zmq);
    others &= ~system;
  }
  if (others != 0) item.revents = static_cast<short>(item.revents | ZMQ_POLLERR);
  return 0;
}

// In milliseconds; rounded up, so that it is not asked again and again in the last one.
int time_left(Deadline deadline) {
  if (deadline == never) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, std::numeric_limits<int>::max()));
}

// In the steps of libzmq's: the descriptors by a system call, without waiting at first, and then each socket's events,
// since a descriptor that was looked at is quiet.
int poll_with_sides(std::span<zmq_pollitem_t> items, std::span<pollfd> descriptors, long timeout) {
  for (std::size_t index = 0; index < items.size(); ++index) {
    if (prepare(items[index], descriptors[index]) != 0) return -1;
  }
  const std::chrono::milliseconds whole(timeout);
  const Deadline deadline = timeout < 0 || whole > longest_wait ? never : after(whole);
  int wait = 0;
  while (true) {
    if (::poll(descriptors.data(), descriptors.size(), wait) < 0) return -1;
    int ready = 0;
    for (std::size_t index = 0; index < items.size(); ++index) {
      if (note(items[index], descriptors[index]) != 0) return -1;
      if (items[index].revents != 0) ++ready;
    }
    if (ready != 0 || timeout == 0 || passed(deadline)) return ready;
    wait = time_left(deadline);
  }
}

}  // namespace

int run_poll(zmq_pollitem_t* items, int count, long timeout) {
  if (count <= 0 || items == nullptr || !has_active({items, static_cast<std::size_t>(count)})) {
    const bool outer = std::exchange(in_native_poll, true);
    const int result = libzmq().poll(items, count, timeout);
    in_native_poll = outer;
    return result;
  }
  const std::span<zmq_pollitem_t> all(items, static_cast<std::size_t>(count));
  std::array<pollfd, few> in_place;
  if (all.size() <= few) return poll_with_sides(all, std::span(in_place).first(all.size()), timeout);
  std::vector<pollfd> descriptors(all.size());
  return poll_with_sides(all, descriptors, timeout);
}

bool is_in_native_poll() noexcept { return in_native_poll; }

}  // namespace weir::zmq_plugin
