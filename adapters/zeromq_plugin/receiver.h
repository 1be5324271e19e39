// The subscribing side of one shm:// endpoint of a SUB or XSUB socket, and the messages that it gives out.
//
// A frame above a page is given to the application where it lies in shared memory, as a zmq_msg_t whose release gives
// the sample back; smaller ones are copied, which is cheaper. So are those beyond what one endpoint may have out at one
// time: an application that hoards messages keeps its own memory, not the publisher's.
//
// Thread safety: the socket's thread; messages are closed on any, also after the receiver was closed.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include "adapters/zeromq_plugin/frames.h"
#include "adapters/zeromq_plugin/libzmq.h"
#include "adapters/zeromq_plugin/shared.h"
#include "transport/endpoint.h"
#include "transport/shm/subscriber_port.h"
#include "transport/status.h"

namespace weir::zmq_plugin {

struct ReceiverOptions {
  std::uint64_t depth = 0;
  bool copies = false;  // nothing is given out where it lies
  std::uint64_t history = 0;
};

class Receiver final : public Counted<Receiver> {
 public:
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  // Errors: those of joining a topic.
  [[nodiscard]] static Result<Ref<Receiver>> open(const Endpoint& topic, const ReceiverOptions& options);

  // Whether take() would have something. Cheap, and arms nothing.
  [[nodiscard]] bool ready() {
    return look([this] { return port_->wait(at_once, {}); }, Wake::ready);
  }
  // The next sample, to be given back by release(). One that comes back empty makes fd() quiet until there is more.
  [[nodiscard]] bool take(spi::SampleRecord& sample) {
    return look([&] { return port_->take(sample); }, true);
  }
  // Whether one of these could not look at all that is there since this was asked last, for want of memory or of a
  // descriptor, or since a publisher is corrupt: there may be something all the same, and fd() need not show it.
  [[nodiscard]] bool was_blind() noexcept { return std::exchange(was_blind_, false); }
  void release(spi::SampleRecord& sample) noexcept {
    if (!port_->inherited()) port_->release(sample);
  }
  // What has changed among the publishers; empty when nothing has.
  [[nodiscard]] Result<std::optional<MembershipEvent>> next_event() { return port_->next_event(); }
  [[nodiscard]] Result<int> fd() { return port_->fd(); }

  // Leaves the topic; messages that are out stay valid.
  void close() noexcept;

 private:
  friend class Counted<Receiver>;
  friend class Delivery;
  Receiver(std::unique_ptr<spi::SubscriberPort> port, bool copies) noexcept;
  ~Receiver();

  template <class Look, class Wanted>
  [[nodiscard]] bool look(const Look& look, const Wanted& wanted) {
    try {
      const auto found = look();
      if (found) [[likely]]
        return *found == wanted;
    } catch (const std::bad_alloc&) {
    }
    was_blind_ = true;
    return false;
  }

  std::unique_ptr<shm::SubscriberPort> port_;
  bool was_blind_ = false;
  bool copies_;
  std::atomic<std::size_t> samples_out_{0};
  std::atomic<std::size_t> bytes_out_{0};
};

// One sample on its way to the application, frame by frame.
class Delivery {
 public:
  Delivery() = default;
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;
  ~Delivery() { end(); }

  // Begins with another sample, when this one is done.
  void begin(const Ref<Receiver>& receiver, const spi::SampleRecord& sample) noexcept {
    end();
    receiver_ = receiver;
    sample_ = sample;
    frames_ = FrameReader(sample);
  }

  [[nodiscard]] bool under_way() const noexcept { return static_cast<bool>(receiver_); }
  [[nodiscard]] bool more() const noexcept { return frames_.more(); }

  // Gives out the next frame: into a message that has been initialised or closed; or into a buffer, cut to its size.
  // False: no memory, and the frame is still to be given.
  [[nodiscard]] bool give(zmq_msg_t& message);
  std::size_t give(void* buffer, std::size_t size) noexcept;
  // Drops what is left.
  void end() noexcept;

 private:
  struct Held;
  [[nodiscard]] bool give_in_place(zmq_msg_t& message, Frame frame);
  void finish_if_done() noexcept {
    if (frames_.done()) end();
  }
  static void let_go(void* data, void* hint) noexcept;
  static void drop(Held* held) noexcept;

  Ref<Receiver> receiver_;
  spi::SampleRecord sample_;
  FrameReader frames_;
  Held* held_ = nullptr;  // once a frame was given out where it lies: has the sample then
};

}  // namespace weir::zmq_plugin
