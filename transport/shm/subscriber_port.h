// A subscriber on shared memory.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "transport/backend.h"
#include "transport/shm/clock.h"
#include "transport/shm/doorbell.h"
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

  Result<bool> take(spi::SampleRecord& record) override {
    if (publishers_.is_stale()) [[unlikely]] {
      publishers_.refresh();
    }
    const auto& attachments = publishers_.attachments();
    const std::size_t count = attachments.size();
    for (std::size_t tried = 0; tried < count; ++tried) {
      turn_ = turn_ + 1 < count ? turn_ + 1 : 0;
      const Taken taken_now = take_from(*attachments[turn_], record);
      if (taken_now == Taken::sample) [[likely]] {
        return true;
      }
      if (taken_now == Taken::failure) [[unlikely]] {
        return tl::unexpected(*failure_);
      }
    }
    return nothing_taken(record);
  }

  void release(spi::SampleRecord& record) noexcept override { pins_.clear(record.token); }

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

 private:
  SubscriberPort(std::unique_ptr<TopicDirectory> topic, OwnSegment segment, const SubscriberQos& qos);

  enum class Taken : std::uint8_t { sample, nothing, failure };  // failure: failure_ says why

  [[gnu::always_inline]] Taken take_from(Attachment& from, spi::SampleRecord& record) {
    const RingReader ring = from.publisher.ring;
    std::uint64_t sequence = from.next;
    while (true) {
      if (!lossless_ && ring.published(sequence + depth_)) [[unlikely]] {
        sequence = oldest_within_depth(ring, sequence);
      }
      if (!ring.seek(sequence) || from.broken) {
        return Taken::nothing;
      }
      const Descriptor sample = ring.read(sequence);
      const std::size_t pin = pins_.lowest_free();
      if (pin == pins_.count()) [[unlikely]] {
        return fail(too_many_held_);
      }
      pins_.set(pin, pin_of(sample.chunk, from.entry));
      if (!ring.still_valid(sequence)) [[unlikely]] {
        pins_.clear(pin);
        continue;
      }
      const std::byte* chunk = from.publisher.chunks.find(sample);
      if (chunk == nullptr) [[unlikely]] {
        chunk = look_again(from, sample, pin);
        if (chunk == nullptr) {
          return Taken::failure;
        }
      }
      record.payload = chunk + sample.payload_offset;
      record.size = sample.size;
      record.header = chunk;
      record.header_size = sample.header_size;
      record.publisher = from.publisher.name.id;
      record.sequence = sequence;
      record.lost_before = sequence - from.next;
      record.time = sample.ticks;
      record.token = pin;
      from.next = sequence + 1;
      if (lossless_) {
        advance_lossless(from);
      } else {
        from.cursor->next.store(from.next, std::memory_order_release);
      }
      return Taken::sample;
    }
  }

  // The cursor of a lossless subscriber holds its publisher back: the publisher that waits is woken.
  void advance_lossless(Attachment& from) noexcept {
    from.cursor->next.exchange(from.next, std::memory_order_seq_cst);
    publishers_.wake_if_waiting(from);
  }

  [[nodiscard]] std::uint64_t oldest_within_depth(const RingReader& ring, std::uint64_t sequence) const noexcept {
    const std::uint64_t end = std::max(ring.end_from(sequence + depth_), sequence + depth_ + 1);
    return end - depth_;
  }

  // Where a chunk is that was not seen before. Null: failure_ says why, the pin is cleared, and a publisher whose
  // memory is corrupt is left out from now on.
  [[gnu::noinline]] const std::byte* look_again(Attachment& from, const Descriptor& sample, std::size_t pin);
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
  bool lossless_;
  std::uint64_t depth_;
  Pins pins_;
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
