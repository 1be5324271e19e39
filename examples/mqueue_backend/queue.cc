#include "queue.h"

#include <fcntl.h>
#include <poll.h>

#include <utility>

namespace mqueue {
namespace {

// As many as an ordinary user may ask for: /proc/sys/fs/mqueue/msg_max.
constexpr long depth = 10;
// How long a publisher waits for the thread of a subscriber that is behind, in milliseconds.
constexpr int patience = 200;

}  // namespace

std::optional<Queue> Queue::create(const std::string& name) {
  mq_attr attributes{};
  attributes.mq_maxmsg = depth;
  attributes.mq_msgsize = sizeof(Message);
  const mqd_t queue = mq_open(name.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_NONBLOCK | O_CLOEXEC, 0600, &attributes);
  if (queue < 0) return std::nullopt;
  return Queue(queue);
}

std::optional<Queue> Queue::open(const std::string& name) {
  const mqd_t queue = mq_open(name.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (queue < 0) return std::nullopt;
  return Queue(queue);
}

Queue::Queue(Queue&& other) noexcept : queue_(std::exchange(other.queue_, -1)) {}
Queue& Queue::operator=(Queue&& other) noexcept {
  std::swap(queue_, other.queue_);
  return *this;
}
Queue::~Queue() {
  if (queue_ >= 0) mq_close(queue_);
}

bool Queue::send(const Message& message) const noexcept {
  return mq_send(queue_, reinterpret_cast<const char*>(&message), sizeof(message), 0) == 0;
}

bool Queue::send_patiently(const Message& message) const noexcept {
  pollfd polled{queue_, POLLOUT, 0};
  while (!send(message)) {
    if (poll(&polled, 1, patience) <= 0) return false;
  }
  return true;
}

bool Queue::receive(Message& message) const noexcept {
  return mq_receive(queue_, reinterpret_cast<char*>(&message), sizeof(message), nullptr) == sizeof(message);
}

}  // namespace mqueue
