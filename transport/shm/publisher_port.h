// A publisher on shared memory.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "transport/backend.h"
#include "transport/shm/carried.h"
#include "transport/shm/chunk_pool.h"
#include "transport/shm/clock.h"
#include "transport/shm/doorbell.h"
#include "transport/shm/giving_way.h"
#include "transport/shm/own_segment.h"
#include "transport/shm/publisher_flow.h"
#include "transport/shm/residence.h"
#include "transport/shm/segment.h"
#include "transport/shm/spinning.h"
#include "transport/shm/subscriber_list.h"
#include "transport/shm/topic_directory.h"

namespace weir::shm {

class PublisherPort final : public spi::PublisherPort {
 public:
  // Joins the topic. Errors: those of Node::publisher.
  [[nodiscard]] static Result<std::unique_ptr<spi::PublisherPort>> join(std::unique_ptr<TopicDirectory> topic,
                                                                        const PublisherQos& qos);
  ~PublisherPort() override = default;

  // The common cases by themselves, in few instructions: no user header, no alignment beyond that of the smallest
  // chunk, and a draft or a chunk that is free. Whatever is otherwise is left to loan_slowly().
  Status loan(const spi::LoanRequest& request, spi::LoanRecord& record) override {
    if (request.header_size != 0 || request.alignment > class_size(0)) [[unlikely]] {
      return loan_slowly(request, record);
    }
    std::uint64_t token = token_of_draft;
    std::byte* start = nullptr;
    if (request.size <= carried_size) {
      start = drafts_.take();
    } else {
      const auto [chunk, address] = chunks_.take_small(request.size);
      token = chunk.value();
      start = address;
    }
    if (start == nullptr) [[unlikely]] {
      return loan_slowly(request, record);
    }
    record.payload = start;
    record.size = request.size;
    record.header = start;
    record.header_size = 0;
    record.token = token;
    return lent();
  }

  Result<std::uint64_t> publish(spi::LoanRecord& record, std::optional<Deadline> deadline) override {
    if (tick_source_ != TickSource::time_stamp_counter || !flow_.admits(next_)) [[unlikely]] {
      return publish_when_admitted(record, deadline);
    }
    return write_and_wake([&](Slot& slot) { fill(slot, record); }, TickSource::time_stamp_counter);
  }

  // For SmallPublisher: loan and publish in one. Errors: as publish(), and closed, forked.
  template <std::size_t size>
  [[gnu::always_inline]] Result<std::uint64_t> publish_small(const std::byte* message) {
    const TickSource source = tick_source_;
    if (source == TickSource::monotonic_clock || !usable() || !flow_.admits(next_)) [[unlikely]] {
      return publish_small_slowly(message, size);
    }
    return write_and_wake([=](Slot& slot) { fill_small<size>(slot, message, size); }, source);
  }

  void drop(spi::LoanRecord& record) noexcept override {
    if (record.token == token_of_draft) {
      drafts_.give_back(record.payload);
    } else {
      chunks_.give_back(ChunkRef::from_own(record.token));
    }
  }

  void close() noexcept override;
  [[nodiscard]] PeerId id() const noexcept override { return segment_.name.id; }
  [[nodiscard]] std::uint64_t next_sequence() const noexcept override { return next_; }
  [[nodiscard]] const Capabilities& capabilities() const noexcept override;
  Result<Wake> wait(Deadline deadline, const std::stop_token& stop) override;
  Result<int> fd() override;
  Result<std::optional<MembershipEvent>> next_event() override;
  Result<std::vector<Peer>> peers() override;
  // The oldest sequence that somebody attached has not taken yet, within its depth; next_sequence() if there is none.
  [[nodiscard]] std::uint64_t oldest_wanted();
  // Leaves out who has died. True: somebody had.
  bool drop_dead() { return subscribers_.drop_dead(); }
  // Makes the descriptor readable at the next take, for who waits for more than space in the ring; nothing before fd()
  // was asked for. Who calls this looks again afterwards.
  void watch_takes();
  Status wait_for_subscribers(std::uint64_t count, Deadline deadline, const std::stop_token& stop) override;
  Status wait_until_taken(std::uint64_t sequence, Deadline deadline, const std::stop_token& stop) override;

 private:
  PublisherPort(std::unique_ptr<TopicDirectory> topic, OwnSegment segment, const PublisherQos& qos,
                const Residence& residence, TickSource tick_source);

  // After a takeover: of the former owner's chunks, those that are neither in the ring nor in hand.
  void free_what_nobody_has();
  // Brings what the options prefault and mlock want into memory.
  Status settle_in(const Residence& residence);

  // Takes over what a former owner of the durable segment left. Errors: corrupt; resource_exhausted.
  Status succeed();
  // Makes the segment known, and checks that those who are there fit. Errors: incompatible; those of begin_tenure.
  Status enter();

  // Where a message lies in its chunk. The header goes first, so that shrinking the payload moves nothing.
  struct Measures {
    explicit Measures(const spi::LoanRequest& request) noexcept {
      const std::size_t step = std::max<std::size_t>(request.alignment, alignof(std::max_align_t));
      payload_offset = (request.header_size + step - 1) & ~(step - 1);
      // A chunk is aligned to its size. What has more bytes than there are numbers fits into none.
      bytes = std::max(request.size + std::min(payload_offset, ~request.size), request.alignment);
    }
    std::size_t payload_offset;
    std::size_t bytes;
  };

  // Samples that follow each other so soon are a stream: some hundred nanoseconds, whatever the clock. Without one
  // (publish_time=no) all are taken for one.
  static constexpr std::uint64_t stream_ticks = 1000;

  // Of a loan that will be carried in the slot: no chunk.
  static constexpr std::uint64_t token_of_draft = 0;

  // Success. (`return {}` would write zeros first.)
  static Status lent() noexcept {
    Status lent;
    return lent;
  }
  // loan() in all its cases.
  [[gnu::noinline]] Status loan_slowly(const spi::LoanRequest& request, spi::LoanRecord& record);
  // A chunk when none is free: gives up what nobody wants, frees what nobody pins, or grows the pool.
  Result<ChunkRef> find_chunk(std::size_t bytes);
  enum class GiveUp { nothing, unwanted };
  // Frees the retired chunks that nobody pins; before that, retires what nobody wants, if so told.
  void reclaim(GiveUp give_up);
  // Writes the next sample, but for its payload, which is left to `fill`, and returns its sequence. The time is taken
  // last: reading it takes as long as the slot's lines take to come.
  template <class Fill>
  [[gnu::always_inline]] std::uint64_t write(Fill fill, TickSource source) noexcept {
    const std::uint64_t sequence = next_;
    next_ = sequence + 1;
    const RingWriter::Opened opened = flow_.ring().open(sequence);
    Slot& slot = opened.slot;
    fill(slot);
    const std::uint64_t ticks = ticks_now(source);
    slot.ticks.store(ticks, std::memory_order_release);
    flow_.ring().publish(slot, sequence);
    if (ticks - last_ticks_ < stream_ticks) {
      flow_.ring().expect_after(sequence);
    }
    last_ticks_ = ticks;
    if (const ChunkRef fallen = opened.fallen()) {
      chunks_.retire(fallen);
    }
    return sequence;
  }
  // The same, and wakes who sleeps.
  template <class Fill>
  [[gnu::always_inline]] Result<std::uint64_t> write_and_wake(Fill fill, TickSource source) noexcept {
    const std::uint64_t sequence = write(fill, source);
    if (counters_.sleepers.load(std::memory_order_seq_cst) != 0) [[unlikely]] {
      return wake_sleepers(sequence);
    }
    return sequence;
  }
  [[gnu::always_inline]] void fill(Slot& slot, const spi::LoanRecord& record) noexcept {
    if (record.token == token_of_draft) {
      fill_small<carried_size>(slot, record.payload, record.size);
      drafts_.give_back(record.payload);
      return;
    }
    slot.chunk.store(record.token, std::memory_order_release);
    slot.size.store(record.size, std::memory_order_release);
    const auto payload_offset = static_cast<std::uint64_t>(record.payload - record.header);
    slot.header.store(record.header_size << 32U | payload_offset, std::memory_order_release);
  }
  // Copies so many bytes, of which `size` mean something.
  template <std::size_t copied>
  [[gnu::always_inline]] static void fill_small(Slot& slot, const std::byte* message, std::size_t size) noexcept {
    slot.chunk.store(token_of_draft, std::memory_order_release);
    slot.size.store(size, std::memory_order_release);
    store_carried<copied>(slot, message);
  }
  [[gnu::noinline]] Result<std::uint64_t> publish_small_slowly(const std::byte* message, std::size_t size);
  [[gnu::noinline]] Result<std::uint64_t> publish_when_admitted(const spi::LoanRecord& record,
                                                                std::optional<Deadline> deadline);
  [[gnu::noinline]] Result<std::uint64_t> wake_sleepers(std::uint64_t sequence) noexcept;
  // Blocks, or refuses, as granted. Errors: back_pressure.
  Status wait_for_admission(std::optional<Deadline> deadline);
  // Looks for space without sleeping, as long as it is expected within microseconds. True: there is space.
  bool spin_for_space(Deadline deadline);
  // Asks to be woken, by that subscriber or, if 0, by all.
  void arm(WakeBy by, PeerId awaited) noexcept;
  // One turn of waiting for space, with the want word armed. True: there is space.
  bool sleep_for_space(Deadline deadline);
  // Whether `next_` is admitted after looking at everything again, the dead included.
  bool look_for_space();
  // Whether nobody attached wants a sample up to `sequence` any more, after looking at everything again.
  bool look_whether_taken(std::uint64_t sequence);
  // What fd() returns, which shows nothing yet. Errors: those of fd().
  Status make_descriptor();
  // Makes the descriptor quiet until something new happens; leaves it readable if something is there.
  void settle();

  std::unique_ptr<TopicDirectory> topic_;
  SharedCounters& counters_;
  TickSource tick_source_;
  OwnSegment segment_;
  PublisherHeader& header_;
  PublisherQos qos_;
  SubscriberList subscribers_;
  PublisherFlow flow_;
  ChunkPool chunks_;
  Drafts drafts_;
  bool entered_ = false;  // enter() has succeeded
  std::uint64_t next_ = 0;
  std::uint64_t last_ticks_ = no_ticks;
  std::uint64_t generation_ = 0;              // of the want word
  std::vector<std::uint64_t> pinned_;         // kept for its memory
  std::optional<Error> back_pressure_;        // made once, returned often
  bool refused_ = false;                      // the last publish came to back-pressure
  Spinning spinning_{Spinning::Tries::none};  // who takes its messages does not answer it
  GivingWay giving_way_;
  File epoll_;  // once fd() was asked for
  TokenFifo tokens_;
  bool shows_all_ = false;  // fd() has come to its end, and not run out of memory
};

}  // namespace weir::shm
