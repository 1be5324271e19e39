// A publisher on shared memory.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "transport/backend.h"
#include "transport/shm/chunk_pool.h"
#include "transport/shm/clock.h"
#include "transport/shm/doorbell.h"
#include "transport/shm/publisher_flow.h"
#include "transport/shm/segment.h"
#include "transport/shm/subscriber_list.h"
#include "transport/shm/topic_directory.h"

namespace weir::shm {

class PublisherPort final : public spi::PublisherPort {
 public:
  // Joins the topic. Errors: those of Node::publisher.
  [[nodiscard]] static Result<std::unique_ptr<spi::PublisherPort>> join(std::unique_ptr<TopicDirectory> topic,
                                                                        const PublisherQos& qos);
  ~PublisherPort() override = default;

  Status loan(const spi::LoanRequest& request, spi::LoanRecord& record) override {
    const Measures measures(request);
    const ChunkRef chunk = chunks_.take_free(measures.bytes);
    if (!chunk) [[unlikely]] {
      return loan_slowly(request, record);
    }
    lend(chunk, request, measures, record);
    return {};
  }

  Result<std::uint64_t> publish(spi::LoanRecord& record, std::optional<Deadline> deadline) override {
    if (!flow_.admits(next_)) [[unlikely]] {
      if (Status admitted = wait_for_admission(deadline); !admitted) {
        return tl::unexpected(admitted.error());
      }
    }
    const std::uint64_t sequence = next_;
    const ChunkRef fallen =
        flow_.ring().write(sequence, {.chunk = ChunkRef::from(record.token),
                                      .size = record.size,
                                      .header_size = static_cast<std::uint32_t>(record.header_size),
                                      .payload_offset = static_cast<std::uint32_t>(record.payload - record.header),
                                      .ticks = ticks_now(tick_source_)});
    next_ = sequence + 1;
    if (fallen) {
      chunks_.retire(fallen);
    }
    if (counters_.sleepers.load(std::memory_order_seq_cst) != 0) [[unlikely]] {
      subscribers_.wake_sleepers();
    }
    return sequence;
  }

  void drop(spi::LoanRecord& record) noexcept override { chunks_.give_back(ChunkRef::from(record.token)); }

  void close() noexcept override;
  [[nodiscard]] PeerId id() const noexcept override { return segment_.name.id; }
  [[nodiscard]] const Capabilities& capabilities() const noexcept override;
  Result<Wake> wait(Deadline deadline, const std::stop_token& stop) override;
  Result<int> fd() override;
  Result<std::optional<MembershipEvent>> next_event() override;
  Result<std::vector<Peer>> peers() override;
  Status wait_for_subscribers(std::uint64_t count, Deadline deadline, const std::stop_token& stop) override;

 private:
  PublisherPort(std::unique_ptr<TopicDirectory> topic, OwnSegment segment, const PublisherQos& qos);

  // Where a message lies in its chunk. The header goes first, so that shrinking the payload moves nothing.
  struct Measures {
    explicit Measures(const spi::LoanRequest& request) noexcept {
      const std::size_t step = std::max<std::size_t>(request.alignment, alignof(std::max_align_t));
      payload_offset = (request.header_size + step - 1) & ~(step - 1);
      bytes = std::max(payload_offset + request.size, request.alignment);  // a chunk is aligned to its size
    }
    std::size_t payload_offset;
    std::size_t bytes;
  };

  void lend(ChunkRef chunk, const spi::LoanRequest& request, const Measures& measures,
            spi::LoanRecord& record) const noexcept {
    std::byte* const start = chunks_.address(chunk);
    record.payload = start + measures.payload_offset;
    record.size = request.size;
    record.header = start;
    record.header_size = request.header_size;
    record.token = chunk.value();
  }
  [[gnu::noinline]] Status loan_slowly(const spi::LoanRequest& request, spi::LoanRecord& record);
  // A chunk when none is free: gives up what nobody wants, frees what nobody pins, or grows the pool.
  Result<ChunkRef> find_chunk(std::size_t bytes);
  enum class GiveUp { nothing, unwanted };
  // Frees the retired chunks that nobody pins; before that, retires what nobody wants, if so told.
  void reclaim(GiveUp give_up);
  // Blocks, or refuses, as granted. Errors: back_pressure.
  Status wait_for_admission(std::optional<Deadline> deadline);
  // One turn of waiting for space, with the want word armed. True: there is space.
  bool sleep_for_space(Deadline deadline);
  // Whether `next_` is admitted after looking at everything again, the dead included.
  bool look_for_space();
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
  std::uint64_t next_ = 0;
  std::uint64_t generation_ = 0;        // of the want word
  std::vector<std::uint64_t> pinned_;   // kept for its memory
  std::optional<Error> back_pressure_;  // made once, returned often
  bool refused_ = false;                // the last publish came to back-pressure
  File epoll_;                          // once fd() was asked for
  TokenFifo tokens_;
};

}  // namespace weir::shm
