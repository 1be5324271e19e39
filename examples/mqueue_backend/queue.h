// A POSIX message queue of messages, ended with the object. On Linux its descriptor can be polled.
#pragma once

#include <mqueue.h>

#include <optional>
#include <string>

#include "message.h"

namespace mqueue {

class Queue {
 public:
  // A new one, to receive from. Nothing: errno says why.
  [[nodiscard]] static std::optional<Queue> create(const std::string& name);
  // One of another's, to send to.
  [[nodiscard]] static std::optional<Queue> open(const std::string& name);

  Queue(Queue&& other) noexcept;
  Queue& operator=(Queue&& other) noexcept;
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;
  ~Queue();

  // False: it is full.
  [[nodiscard]] bool send(const Message& message) const noexcept;
  // The same, waiting a while for room.
  [[nodiscard]] bool send_patiently(const Message& message) const noexcept;
  // False: it is empty.
  [[nodiscard]] bool receive(Message& message) const noexcept;
  [[nodiscard]] int descriptor() const noexcept { return queue_; }

 private:
  explicit Queue(mqd_t queue) : queue_(queue) {}
  mqd_t queue_ = -1;
};

}  // namespace mqueue
