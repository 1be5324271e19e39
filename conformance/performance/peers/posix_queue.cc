// POSIX message queues, mq_overview(7), with the limits that this system has.
#include <fcntl.h>
#include <mqueue.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "conformance/performance/failure.h"
#include "conformance/performance/loads/crew_for.h"

namespace weir::performance {
namespace {

std::size_t limit(const char* name) {
  std::ifstream file(fmt::format("/proc/sys/fs/mqueue/{}", name));
  std::size_t value = 0;
  return file >> value ? value : 0;
}

// Made by the parent and inherited; it has no name any more.
class Queue {
 public:
  explicit Queue(const Task& task) {
    static int count = 0;
    const std::string name = fmt::format("/weir-performance-{}-{}", getpid(), ++count);
    mq_attr attributes{};
    attributes.mq_maxmsg = static_cast<long>(std::min<std::size_t>(limit("msg_max"), depth_for(task)));
    attributes.mq_msgsize = static_cast<long>(task.message.size);
    queue_ = mq_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | (task.blocking ? 0 : O_NONBLOCK), 0600, &attributes);
    if (queue_ < 0) {
      fail(fmt::format("mq_open: {}", std::strerror(errno)));
    }
    mq_unlink(name.c_str());
  }
  Queue(Queue&& other) noexcept : queue_(std::exchange(other.queue_, -1)) {}
  Queue& operator=(Queue&&) = delete;
  ~Queue() {
    if (queue_ >= 0) {
      mq_close(queue_);
    }
  }
  [[nodiscard]] mqd_t get() const noexcept { return queue_; }

 private:
  mqd_t queue_ = -1;
};

class PosixQueue {
 public:
  explicit PosixQueue(const Task& task) : size_(task.message.size), back_(task) {
    for (std::uint64_t lane = 0; lane < (task.load == Load::fan_out ? task.others : 1); ++lane) {
      there_.emplace_back(task);
    }
  }

  class Sender {
   public:
    Sender(mqd_t queue, std::size_t size) : queue_(queue), buffer_(size) {}
    void await_receivers(std::uint64_t /*count*/) const noexcept {}
    template <class Fill>
    bool try_send(std::size_t size, Fill fill) {
      fill(std::span(buffer_));
      if (mq_send(queue_, reinterpret_cast<const char*>(buffer_.data()), size, 0) == 0) {
        return true;
      }
      if (errno != EAGAIN && errno != EINTR) [[unlikely]] {
        fail(fmt::format("mq_send: {}", std::strerror(errno)));
      }
      return false;
    }

   private:
    mqd_t queue_;
    std::vector<std::byte> buffer_;
  };

  class Receiver {
   public:
    Receiver(mqd_t queue, std::size_t size) : queue_(queue), buffer_(size) {}
    void wait() const noexcept {}
    template <class Use>
    bool try_receive(Use use) {
      const ssize_t size = mq_receive(queue_, reinterpret_cast<char*>(buffer_.data()), buffer_.size(), nullptr);
      if (size < 0) {
        if (errno != EAGAIN && errno != EINTR) [[unlikely]] {
          fail(fmt::format("mq_receive: {}", std::strerror(errno)));
        }
        return false;
      }
      use(std::span<const std::byte>(buffer_).first(static_cast<std::size_t>(size)));
      return true;
    }

   private:
    mqd_t queue_;
    std::vector<std::byte> buffer_;
  };

  [[nodiscard]] Sender sender(Lane lane) const { return {queue(lane), size_}; }
  [[nodiscard]] Receiver receiver(Lane lane) const { return {queue(lane), size_}; }

 private:
  [[nodiscard]] mqd_t queue(Lane lane) const {
    return (lane.direction == Direction::there ? there_.at(lane.index) : back_).get();
  }

  std::size_t size_;
  Queue back_;
  std::vector<Queue> there_;
};

// 64 queues would need more than a user's share of the kernel's memory on most
// systems, but 8 do not.
const Abilities abilities{
    .spins = true, .blocks = true, .streams = true, .fans_out = true, .fans_in = true, .most = limit("msgsize_max")};

const bool added =
    add_peer({.name = "POSIX mq",
              .rank = 32,
              .what = "mq_send and mq_receive, one queue for each receiver",
              .abilities = abilities,
              .crew = crews_of<PosixQueue>(abilities),
              .hindrance = [] { return limit("msg_max") == 0 ? "this kernel has no POSIX message queues" : ""; }});

}  // namespace
}  // namespace weir::performance
