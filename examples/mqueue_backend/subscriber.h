// The subscribing end: a queue, a thread that empties it, and a deque of unread samples for each publisher.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "queue.h"
#include "topic.h"
#include "transport/backend.h"

namespace mqueue {

class Subscriber final : public weir::spi::SubscriberPort {
 public:
  [[nodiscard]] static weir::Result<std::unique_ptr<weir::spi::SubscriberPort>> join(
      Topic topic, const weir::SubscriberQos& qos, const weir::Capabilities& promised);
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;
  ~Subscriber() override { close(); }

  void close() noexcept override;
  [[nodiscard]] weir::PeerId id() const noexcept override { return id_; }
  [[nodiscard]] const weir::Capabilities& capabilities() const noexcept override { return promised_; }
  weir::Result<weir::Wake> wait(weir::Deadline deadline, const std::stop_token& stop) override;
  weir::Result<int> fd() override { return readable_; }
  weir::Result<std::optional<weir::MembershipEvent>> next_event() override;
  weir::Result<std::vector<weir::Peer>> peers() override;

  weir::Result<bool> take(weir::spi::SampleRecord& record) override;
  void release(weir::spi::SampleRecord& record) noexcept override;

 private:
  struct Inbox {
    std::uint64_t expected = 0;
    bool known = false;
    std::deque<Message> unread;
  };
  // A sample's memory: of the heap, or a mapped file.
  struct Memory {
    void* address;
    std::size_t mapped;  // 0: of the heap
  };

  Subscriber(Topic topic, const weir::SubscriberQos& qos, const weir::Capabilities& promised);
  // Errors: those of Topic::enter; resource_exhausted.
  [[nodiscard]] weir::Status begin();
  void run() noexcept;
  // All that is in the queue, into the inboxes. With the lock held.
  void drain();
  // Whether there is something unread, shown by the descriptor too. With the lock held.
  bool show() noexcept;
  [[nodiscard]] std::string file_of(const Message& message) const;
  [[nodiscard]] weir::Result<Memory> memory_of(const Message& message) const;

  Topic topic_;
  weir::SubscriberQos qos_;
  weir::Capabilities promised_;
  weir::PeerId id_ = random_id();
  std::string name_;
  int life_ = -1;
  std::optional<Queue> queue_;
  int filled_ = -1;    // an eventfd: there is something in the inboxes
  int ended_ = -1;     // an eventfd: for the thread
  int readable_ = -1;  // an epoll of the queue and filled_
  std::mutex lock_;
  std::map<weir::PeerId, Inbox> inboxes_;
  weir::PeerId last_ = 0;  // whose turn it was
  std::atomic<std::uint64_t> held_ = 0;
  std::thread thread_;
};

}  // namespace mqueue
