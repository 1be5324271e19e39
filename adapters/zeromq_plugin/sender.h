// The publishing side of one shm:// endpoint of a PUB or XPUB socket.
//
// A sender that blocks is refused while a subscriber has no room: publish() returns EAGAIN, nobody has received the
// message, and the caller decides whether to wait. A sender that does not block loses the oldest at the subscribers,
// and never fails for want of room.
//
// Memory is lent to zmq_msg_init_size: see lend(). The memory goes back when the message is closed, on whichever
// thread, also after the sender was closed.
//
// Thread safety: publish(), has_room(), close() on the socket's thread; lend() and what is lent on any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "adapters/zeromq_plugin/frames.h"
#include "adapters/zeromq_plugin/libzmq.h"
#include "adapters/zeromq_plugin/shared.h"
#include "transport/endpoint.h"
#include "transport/process.h"
#include "transport/shm/publisher_port.h"
#include "transport/status.h"

namespace weir::zmq_plugin {

struct SenderOptions {
  std::uint64_t depth = 0;
  bool blocks = false;
  bool copies = false;  // no memory is lent
  std::uint64_t memory = 0;
};

class Sender final : public Counted<Sender> {
 public:
  // Errors: those of joining a topic.
  [[nodiscard]] static Result<Ref<Sender>> open(const Endpoint& topic, const SenderOptions& options);

  // Publishes one message. 0, or the errno: EAGAIN, EMSGSIZE, ENOMEM. Nobody has it then.
  [[nodiscard]] int publish(std::span<const Frame> frames);
  // False: publish() returns EMSGSIZE.
  [[nodiscard]] bool fits(const FrameWriter& writer) const noexcept;
  // Publishes a message that lend() has made, where it lies: `data` is its content. EINVAL: it is not one of ours, or
  // somebody else may still read or write it, and it has to be copied.
  [[nodiscard]] int publish_lent(zmq_msg_t& message);

  // Whether the next message would be accepted.
  [[nodiscard]] bool has_room();
  [[nodiscard]] bool blocks() const noexcept { return blocks_; }
  // Shows that there is room again, and that subscribers come and go.
  [[nodiscard]] Result<int> fd();

  // Makes a message whose content is memory of this endpoint. False: make it another way.
  [[nodiscard]] bool lend(zmq_msg_t& message, std::size_t size);

  // Leaves the topic. What was published stays readable for those who are attached.
  void close() noexcept;

 private:
  friend class Counted<Sender>;
  struct Lent {
    Ref<Sender> sender;
    spi::LoanRecord record;
    bool is_out = true;  // not published yet
  };
  struct Large {
    std::uint64_t sequence;
    std::size_t size;
  };

  Sender(std::unique_ptr<spi::PublisherPort> port, const SenderOptions& options);
  ~Sender();

  [[nodiscard]] bool inherited_by_child() const noexcept { return spi::process_generation() != process_; }
  [[nodiscard]] int publish_with(const FrameWriter& writer);
  [[nodiscard]] Status publish_record(spi::LoanRecord& record);
  // Whether the large messages that are not taken yet leave room for more: the same few chunks go round then, which
  // stay in the processor's cache.
  [[nodiscard]] bool window_is_open();
  void forget_taken();
  [[nodiscard]] int refusal(const Error& error) const noexcept;
  static void take_back(void* data, void* hint) noexcept;
  [[nodiscard]] Lent* find_lent(const void* data) noexcept;
  void forget(const Lent* lent) noexcept;
  void end_if_unused() noexcept;

  const std::uint64_t process_ = spi::process_generation();
  SpinLock lock_;
  std::unique_ptr<shm::PublisherPort> port_;  // gone once closed and nothing is lent
  bool blocks_;
  bool copies_;
  std::uint64_t memory_;
  bool closed_ = false;
  std::vector<Lent*> lent_;
  std::size_t lent_bytes_ = 0;
  std::deque<Large> large_;
  std::size_t large_bytes_ = 0;
  bool watches_takes_ = false;  // fd() shows the next take, until the window is open again
};

// Messages from here on are worth lending memory for: what the copy costs is more than what the loan does.
inline constexpr std::size_t lent_from = std::size_t{16} << 10U;

// The sender that zmq_msg_init_size shall ask on this thread: the one that sent a large message last. A wrong guess
// costs a copy.
void guess_next(const Ref<Sender>& sender);
[[nodiscard]] bool lend_by_guess(zmq_msg_t& message, std::size_t size);

}  // namespace weir::zmq_plugin
