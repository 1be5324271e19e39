// A subscriber on shared memory.
#pragma once

#include <bit>
#include <memory>
#include <optional>
#include <vector>

#include "transport/backend.h"
#include "transport/shm/clock.h"
#include "transport/shm/doorbell.h"
#include "transport/shm/giving_way.h"
#include "transport/shm/in_hand.h"
#include "transport/shm/own_segment.h"
#include "transport/shm/pins.h"
#include "transport/shm/publisher_list.h"
#include "transport/shm/segment.h"
#include "transport/shm/spinning.h"
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
    const Next next = look_for_next();
    if (next.state == Next::missing) {
      return false;
    }
    Pins::Pin& pin = pins_.last();
    if (next.state == Next::otherwise || !Pins::is_free(pin)) [[unlikely]] {
      return take_in_turn(record);
    }
    const Slot& slot = *next.slot;
    // Not masked: holds() knows no chunk whose reference has further bits, and the pin is cleared then.
    const ChunkRef chunk = ChunkRef::from_own(slot.chunk.load(std::memory_order_acquire));
    if (chunk) {
      return take_pinned(record, *next.from, slot, chunk);
    }
    const std::uint64_t size = slot.size.load(std::memory_order_acquire);
    if (size > carried_size) [[unlikely]] {
      return take_in_turn(record);
    }
    record.size = size;
    record.time = slot.ticks.load(std::memory_order_acquire);
    std::byte* const copy = pins_.last_copy();
    load_carried(slot, copy);
    if (slot.word.load(std::memory_order_seq_cst) != valid_mark(next.sequence)) [[unlikely]] {
      return take_in_turn(record);
    }
    Pins::occupy(pin);
    return taken(record, *next.from, next.sequence, copy, pin);
  }

  // For SmallSubscriber: take and release in one; `copy` and `origin` mean nothing unless it returns true. Errors: as
  // take(), closed, forked; incompatible for a message of another size, which is lost by that.
  struct Origin {
    std::uint64_t sequence;     // 0, 1, 2 … for each publisher
    std::uint64_t lost_before;  // of this publisher's, by this subscriber, just before this one
    PeerId publisher;
  };
  template <std::size_t size>
  [[gnu::always_inline]] Result<bool> take_small(std::byte* copy, Origin& origin) {
    if (usable()) [[likely]] {
      const Next next = look_for_next();
      if (next.state == Next::missing) {
        return false;
      }
      if (next.state == Next::there) [[likely]] {
        const Slot& slot = *next.slot;
        const std::uint64_t chunk = slot.chunk.load(std::memory_order_acquire);
        const std::uint64_t found = slot.size.load(std::memory_order_acquire);
        load_carried<size>(slot, copy);
        if (chunk == 0 && found == size && slot.word.load(std::memory_order_seq_cst) == valid_mark(next.sequence))
            [[likely]] {
          origin = {.sequence = next.sequence, .lost_before = 0, .publisher = next.from->publisher.name.id};
          advance(*next.from, next.sequence + 1);
          return true;
        }
      }
    }
    return take_small_slowly(copy, size, origin);
  }

  void release(spi::SampleRecord& record) noexcept override { Pins::clear(*pin_of_token(record.token)); }

  [[nodiscard]] std::chrono::steady_clock::time_point publish_time(
      const spi::SampleRecord& record) const noexcept override {
    return record.time == no_ticks ? std::chrono::steady_clock::time_point() : time_of(record.time, origin_);
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

  // Who polls one topic alone takes the slot's lines away from the publisher amid its writing, if it does not pause.
  // Out of line: what is inlined into take() costs those who find something.
  [[gnu::noinline, gnu::cold]] void pause_if_polling() noexcept {
    struct Missed {
      const SubscriberPort* port;
      std::uint64_t sequence;
    };
    static constinit thread_local Missed last{nullptr, 0};
    const std::uint64_t sequence = publishers_.sole()->next;
    if (last.port == this && last.sequence == sequence) {
      pause_processor();
    }
    last = {.port = this, .sequence = sequence};
  }

  // The next sample in the common case: one publisher alone, whose next sample is neither missing nor too old.
  struct Next {
    enum State : std::uint8_t { there, missing, otherwise } state = otherwise;
    Attachment* from = nullptr;
    const Slot* slot = nullptr;
    std::uint64_t sequence = 0;
  };
  [[gnu::always_inline]] Next look_for_next() {
    Attachment* const from = publishers_.sole();
    if (from == nullptr || publishers_.is_stale()) [[unlikely]] {
      return {};
    }
    const RingReader ring = from->publisher.ring;
    const std::uint64_t sequence = from->next;
    const Slot& slot = ring.slot(sequence);
    // Who polls fetches the line of a small message together with the descriptor's.
    __builtin_prefetch(slot.carried);
    const std::uint64_t valid = valid_mark(sequence);
    const std::uint64_t word = slot.word.load(std::memory_order_seq_cst);
    if (word < valid && !tokens_ && publishers_.is_quiet()) {
      pause_if_polling();
      return {.state = Next::missing};
    }
    if (word != valid || ring.published(sequence + from->look_ahead)) [[unlikely]] {
      return {};
    }
    return {.state = Next::there, .from = from, .slot = &slot, .sequence = sequence};
  }
  [[gnu::noinline]] Result<bool> take_small_slowly(std::byte* copy, std::size_t size, Origin& origin);

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
    advance(from, sequence + 1);
    return true;
  }

  // take() in all its cases; and from one publisher.
  [[gnu::noinline]] Result<bool> take_in_turn(spi::SampleRecord& record);
  Taken take_from(Attachment& from, spi::SampleRecord& record);
  // Moves the cursor, after a sample was validated. That of a lossless subscriber holds its publisher back: the
  // publisher that waits is woken.
  [[gnu::always_inline]] void advance(Attachment& from, std::uint64_t next) noexcept {
    from.next = next;
    if (!from.lossless) {
      from.cursor->next.store(next, std::memory_order_release);
      return;
    }
    from.cursor->next.exchange(next, std::memory_order_seq_cst);
    publishers_.wake_after_take(from);
  }

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
  // What fd() returns, which shows nothing yet. Errors: those of fd().
  Status make_descriptor();
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
  Error too_many_held_;           // made once, returned often
  std::optional<Error> failure_;  // of the last take_from() that failed
  std::size_t turn_ = 0;          // the publisher whose turn it was last
  std::uint64_t generation_ = 0;  // of the asleep word
  bool is_counted_ = false;       // among the sleepers
  Deadline next_look_for_ends_ = at_once;
  Spinning spinning_{Spinning::Tries::now_and_then};
  GivingWay giving_way_;
  File epoll_;  // once fd() was asked for
  TokenFifo tokens_;
  bool shows_all_ = false;  // fd() has come to its end, and not run out of memory
};

}  // namespace weir::shm
