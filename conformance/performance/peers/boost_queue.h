// Boost.Interprocess message_queue: a heap of messages under a mutex in shared
// memory.
#pragma once

#include <unistd.h>

#include <boost/interprocess/ipc/message_queue.hpp>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "conformance/performance/failure.h"
#include "conformance/performance/peers/peer.h"

namespace weir::performance {

class BoostQueue {
 public:
  // Made by the parent and mapped by all who are forked from it.
  explicit BoostQueue(const Task& task) : task_(task), back_(make(task)) {
    for (std::uint64_t lane = 0; lane < (task.load == Load::fan_out ? task.others : 1); ++lane) {
      there_.push_back(make(task));
    }
  }

 private:
  using Queue = boost::interprocess::message_queue;

  // It has no name any more.
  static std::unique_ptr<Queue> make(const Task& task) {
    static int count = 0;
    const std::string name = fmt::format("weir-performance-{}-{}", getpid(), ++count);
    auto queue =
        std::make_unique<Queue>(boost::interprocess::create_only, name.c_str(), depth_for(task), task.message.size);
    Queue::remove(name.c_str());
    return queue;
  }

 public:
  class Sender {
   public:
    Sender(Queue& queue, const Task& task) : queue_(&queue), blocking_(task.blocking), buffer_(task.message.size) {}
    void await_receivers(std::uint64_t /*count*/) const noexcept {}
    template <class Fill>
    bool try_send(std::size_t size, Fill fill) {
      fill(std::span(buffer_));
      if (blocking_) {
        queue_->send(buffer_.data(), size, 0);
        return true;
      }
      return queue_->try_send(buffer_.data(), size, 0);
    }

   private:
    Queue* queue_;
    bool blocking_;
    std::vector<std::byte> buffer_;
  };

  class Receiver {
   public:
    Receiver(Queue& queue, const Task& task) : queue_(&queue), blocking_(task.blocking), buffer_(task.message.size) {}
    void wait() const noexcept {}
    template <class Use>
    bool try_receive(Use use) {
      Queue::size_type size = 0;
      unsigned priority = 0;
      if (blocking_) {
        queue_->receive(buffer_.data(), buffer_.size(), size, priority);
      } else if (!queue_->try_receive(buffer_.data(), buffer_.size(), size, priority)) {
        return false;
      }
      use(std::span<const std::byte>(buffer_).first(size));
      return true;
    }

   private:
    Queue* queue_;
    bool blocking_;
    std::vector<std::byte> buffer_;
  };

  [[nodiscard]] Sender sender(Lane lane) const { return {queue(lane), task_}; }
  [[nodiscard]] Receiver receiver(Lane lane) const { return {queue(lane), task_}; }

 private:
  [[nodiscard]] Queue& queue(Lane lane) const {
    return lane.direction == Direction::there ? *there_.at(lane.index) : *back_;
  }

  Task task_;
  std::unique_ptr<Queue> back_;
  std::vector<std::unique_ptr<Queue>> there_;
};

static_assert(Carrier<BoostQueue>);

}  // namespace weir::performance
