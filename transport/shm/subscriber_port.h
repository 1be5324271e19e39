// A subscriber on shared memory.
#pragma once

#include <bit>
#include <memory>
#include <optional>
#include <vector>

#include "transport/backend.h"
#include "transport/shm/clock.h"
#include "transport/shm/doorbell.h"
#include "transport/shm/in_hand.h"
#include "transport/shm/own_segment.h"
#include "transport/shm/pins.h"
#include "transport/shm/publisher_list.h"
#include "transport/shm/segment.h"
#include "transport/shm/topic_directory.h"

namespace weir::shm {

class SubscriberPort final : public spi::SubscriberPort {
 public:
  // Joins the topic. Errors: those of Node::subscriber.
  [[nodiscard]] static Result<std::unique_ptr<spi::SubscriberPort>> join(std::unique_ptr<TopicDirectory> topic,
                                                                         const SubscriberQos& qos);
  // The lock and the pins live until the last sample is released; then the segment goes.
  ~SubscriberPort() override;

  // The common cases by themselves, in few instructions: one publisher alone, whose next sample is there, is not too
  // old, has no user header, and lies in the slot or in a chunk that is mapped. Whatever is otherwise is left to
  // take_in_turn(), which takes the same steps (ring.h says why these) from the start.
  Result<bool> take(spi::SampleRecord& record) override {
    Attachment* const from = publishers_.sole();
    if (from == nullptr || publishers_.is_stale()) [[unlikely]] {
      return take_in_turn(record);
    }
    const RingReader& ring = from->publisher.ring;
    const std::uint64_t sequence = from->next;
    const Slot& slot = ring.slot(sequence);
    // Who polls fetches the line of a small message together with the descriptor's.
    __builtin_prefetch(slot.carried);
    const std::uint64_t valid = valid_mark(sequence);
    Pins::Pin& pin = pins_.last();
    const std::uint64_t word = slot.word.load(std::memory_order_seq_cst);
    if (word < valid && !tokens_ && publishers_.is_quiet()) {
      return false;
    }
    if (word != valid || ring.published(sequence + from->look_ahead) || !Pins::is_free(pin)) [[unlikely]] {
      return take_in_turn(record);
    }
    // Not masked: holds() knows no chunk whose reference has further bits, and the pin is cleared then.
    const ChunkRef chunk = ChunkRef::from_own(slot.chunk.load(std::memory_order_acquire));
    if (chunk) {
      return take_pinned(record, *from, slot, chunk);
    }
    const std::uint64_t size = slot.size.load(std::memory_order_acquire);
    if (size > carried_size) [[unlikely]] {
      return take_in_turn(record);
    }
    record.size = size;
    record.time = slot.ticks.load(std::memory_order_acquire);
    std::byte* const copy = pins_.last_copy();
    load_carried(slot, copy);
    if (slot.word.load(std::memory_order_seq_cst) != valid) [[unlikely]] {
      return take_in_turn(record);
    }
    Pins::occupy(pin);
    return taken(record, *from, sequence, copy, pin);
  }

  void release(spi::SampleRecord& record) noexcept override { Pins::clear(*pin_of_token(record.token)); }

  [[nodiscard]] std::chrono::steady_clock::time_point publish_time(
      const spi::SampleRecord& record) const noexcept override {
    return time_of(record.time, origin_);
  }

  void close() noexcept override;
  [[nodiscard]] PeerId id() const noexcept override { return segment_.name.id; }
  [[nodiscard]] const Capabilities& capabilities() const noexcept override;
  Result<Wake> wait(Deadline deadline, const std::stop_token& stop) override;
  Result<int> fd() override;
  Result<std::optional<MembershipEvent>> next_event() override;
  Result<std::vector<Peer>> peers() override;
  Result<std::vector<InHand>> in_hand_at_death() override;

 private:
  SubscriberPort(std::unique_ptr<TopicDirectory> topic, OwnSegment segment, const SubscriberQos& qos,
                 const Residence& residence);

  // Brings what the options prefault and mlock want of our own into memory.
  Status settle_in(const Residence& residence);

  // Takes over what a former owner of the durable segment left.
  void succeed() noexcept;

  enum class Taken : std::uint8_t { sample, nothing, failure };  // failure: failure_ says why

  static std::uint64_t token_of(Pins::Pin* pin) noexcept { return std::bit_cast<std::uint64_t>(pin); }
  static Pins::Pin* pin_of_token(std::uint64_t token) noexcept { return std::bit_cast<Pins::Pin*>(token); }

  // take() of a message in a chunk, whose slot was found valid.
  [[gnu::noinline]] Result<bool> take_pinned(spi::SampleRecord& record, Attachment& from, const Slot& slot,
                                             ChunkRef chunk) {
    const std::uint64_t size = slot.size.load(std::memory_order_acquire);
    if (slot.header.load(std::memory_order_acquire) != 0) [[unlikely]] {
      return take_in_turn(record);
    }
    record.size = size;
    record.time = slot.ticks.load(std::memory_order_acquire);
    const std::uint64_t sequence = from.next;
    Pins::Pin& pin = pins_.last();
    Pins::set(pin, from.pin | chunk.value());
    if (slot.word.load(std::memory_order_seq_cst) != valid_mark(sequence) || !from.publisher.chunks.holds(chunk, size))
        [[unlikely]] {
      Pins::clear(pin);
      return take_in_turn(record);
    }
    return taken(record, from, sequence, from.publisher.chunks.address(chunk), pin);
  }
  // What both have in common: no user header, nothing lost, held by the pin used last.
  [[gnu::always_inline]] Result<bool> taken(spi::SampleRecord& record, Attachment& from, std::uint64_t sequence,
                                            const std::byte* payload, Pins::Pin& pin) {
    record.payload = payload;
    record.header = payload;
    record.header_size = 0;
    record.publisher = from.publisher.name.id;
    record.sequence = sequence;
    record.lost_before = 0;
    record.token = token_of(&pin);
    const std::uint64_t next = sequence + 1;
    if (from.lossless) [[unlikely]] {
      return advance_lossless(from, next);
    }
    from.next = next;
    from.cursor->next.store(next, std::memory_order_release);
    return true;
  }

  // take() in all its cases; and from one publisher.
  [[gnu::noinline]] Result<bool> take_in_turn(spi::SampleRecord& record);
  Taken take_from(Attachment& from, spi::SampleRecord& record);
  // Moves the cursor, after a sample was validated.
  void advance(Attachment& from, std::uint64_t next) noexcept;
  [[gnu::noinline]] Result<bool> advance_lossless(Attachment& from, std::uint64_t next) noexcept;

  [[nodiscard]] std::uint64_t oldest_within_depth(const Attachment& from, std::uint64_t sequence) const noexcept;

  // Where a chunk is that was not seen before. Null: failure_ says why, the pin is cleared, and a publisher whose
  // memory is corrupt is left out from now on.
  const std::byte* look_again(Attachment& from, const Descriptor& sample, Pins::Pin& pin);
  Taken fail(const Error& error) noexcept {
    failure_ = error;
    return Taken::failure;
  }
  // The rest of take() when no publisher has a sample.
  Result<bool> nothing_taken(spi::SampleRecord& record);
  // Makes the descriptor quiet until something new happens. False: something is there already, and it stays readable.
  bool settle();
  // Looks for a sample without sleeping, as long as one is expected within microseconds.
  bool spin(Deadline deadline, const std::stop_token& stop) noexcept;
  Wake sleep(Deadline deadline, const std::stop_token& stop);
  void count_as_sleeper() noexcept;
  void uncount_as_sleeper() noexcept;

  std::unique_ptr<TopicDirectory> topic_;
  SharedCounters& counters_;
  TickOrigin origin_;
  OwnSegment segment_;
  SubscriberHeader& header_;
  SubscriberQos qos_;
  bool entered_ = false;  // all publishers were listed and fit
  Pins pins_;
  InHandNotes in_hand_;
  std::vector<InHand> in_hand_at_death_;  // what was told
  PublisherList publishers_;
  Error too_many_held_;                       // made once, returned often
  std::optional<Error> failure_;              // of the last take_from() that failed
  std::size_t turn_ = 0;                      // the publisher whose turn it was last
  std::uint64_t generation_ = 0;              // of the asleep word
  std::chrono::nanoseconds expected_gap_{0};  // moving average of how long wait() takes
  File epoll_;                                // once fd() was asked for
  TokenFifo tokens_;
};

}  // namespace weir::shm
