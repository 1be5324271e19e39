// The descriptor ring: one publisher writes, any number of subscribers read, none waits for another.
//
// Layout. N slots (a power of two); sample n lies in slot n mod N. A slot is a sequence lock over its fields; its word
// says which sample it holds and how far that has come:
//
//   0          never written
//   4n + 1     sample n is being written
//   4n + 2     sample n is valid
//   4n + 3     sample n is retired: its chunk was given back before n + N came to overwrite it (publisher_flow.h says
//   when)
//
// Ownership. The publisher alone writes slots; readers map them read-only.
//
// Invariants. A slot's word only grows. Whatever a reader finds above 4k+2 tells it that sample k is gone, and from the
// word alone which is the oldest that can still be there: no tail is read, and the loss is exact.
//
// Memory order. write(): the fields are release stores, so whoever sees a new field also sees the mark 4n+1 before it.
// The word's exchange to 4n+2 is sequentially consistent: it orders the sample before the publisher's later looks at
// sleepers, pins and cursors. A reader reads the word with acquire, the fields with acquire, pins the chunk with a
// sequentially consistent exchange and reads the word again, also sequentially consistent: either it finds the slot
// changed, or the publisher, which looks at pins only after it has changed a slot, finds the pin. This is the argument
// of hazard pointers (Michael, IEEE TPDS 15(6), 2004), checked in docs/model.
//
// If the process dies here. In write(): the slot is left at 4n+1, sample n was never published and its predecessor in
// the slot is lost to readers as if overwritten; all other slots stand. In retire(): nothing else was begun.
#pragma once

#include <algorithm>
#include <cstdint>

#include "transport/shm/chunk_ref.h"
#include "transport/shm/layout.h"

namespace weir::shm {

struct Descriptor {
  ChunkRef chunk;                    // none: the payload is in the slot
  std::uint64_t size = 0;            // bytes of payload
  std::uint32_t header_size = 0;     // bytes of user header, at the chunk's start
  std::uint32_t payload_offset = 0;  // of the payload in the chunk
  std::uint64_t ticks = 0;           // clock.h

  [[nodiscard]] bool is_carried() const noexcept { return !chunk && size <= carried_size; }
};

[[nodiscard]] constexpr std::uint64_t writing_mark(std::uint64_t sequence) noexcept { return 4 * sequence + 1; }
[[nodiscard]] constexpr std::uint64_t valid_mark(std::uint64_t sequence) noexcept { return 4 * sequence + 2; }
[[nodiscard]] constexpr std::uint64_t retired_mark(std::uint64_t sequence) noexcept { return 4 * sequence + 3; }

// The publisher's side.
class RingWriter {
 public:
  RingWriter(Slot* slots, std::uint64_t count) noexcept : slots_(slots), mask_(count - 1) {}

  // Writing sample `sequence` in two steps: between them, the slot's fields are written, all by release stores.
  struct Opened {
    Slot& slot;
    std::uint64_t word;  // of the slot until now
    std::uint64_t chunk;
    // The chunk that falls out of the ring once the slot is valid again, if any.
    [[nodiscard]] ChunkRef fallen() const noexcept {
      return ChunkRef::from_own(chunk != 0 && word % 4 == 2 ? chunk : 0);
    }
  };
  [[gnu::always_inline]] Opened open(std::uint64_t sequence) noexcept {
    Slot& slot = slots_[sequence & mask_];
    const Opened opened{slot, slot.word.load(std::memory_order_relaxed), slot.chunk.load(std::memory_order_relaxed)};
    slot.word.store(writing_mark(sequence), std::memory_order_relaxed);
    return opened;
  }
  [[gnu::always_inline]] void publish(Slot& slot, std::uint64_t sequence) noexcept {
    slot.word.exchange(valid_mark(sequence), std::memory_order_seq_cst);
  }
  // In a stream, after publish(): asks for the lines of a slot to come, which are with those who read its last sample;
  // waiting for them would take most of the time of a message. Not so early that a reader of depth 16 looks there
  // meanwhile.
  [[gnu::always_inline]] void expect_after(std::uint64_t sequence) noexcept {
    constexpr std::uint64_t ahead = 6;
    Slot& slot = slots_[(sequence + ahead) & mask_];
    own_soon(slot.word);
    own_soon(slot.carried[0]);
  }

  // Publishes a sample in a chunk. Returns the chunk that thereby falls out of the ring, if any.
  ChunkRef write(std::uint64_t sequence, const Descriptor& sample) noexcept {
    const Opened opened = open(sequence);
    Slot& slot = opened.slot;
    slot.chunk.store(sample.chunk.value(), std::memory_order_release);
    slot.size.store(sample.size, std::memory_order_release);
    slot.header.store(std::uint64_t{sample.header_size} << 32U | sample.payload_offset, std::memory_order_release);
    slot.ticks.store(sample.ticks, std::memory_order_release);
    publish(slot, sequence);
    return opened.fallen();
  }

  // Before several are retired: asks for the line of this one, so that they come together.
  void expect_to_retire(std::uint64_t sequence) noexcept { own_soon(slots_[sequence & mask_].word); }
  // Takes sample `sequence` out of the ring early. Returns its chunk; none if it is not valid any more.
  ChunkRef retire(std::uint64_t sequence) noexcept {
    Slot& slot = slots_[sequence & mask_];
    if (slot.word.load(std::memory_order_relaxed) != valid_mark(sequence)) {
      return {};
    }
    slot.word.exchange(retired_mark(sequence), std::memory_order_seq_cst);
    return ChunkRef::from(slot.chunk.load(std::memory_order_relaxed));
  }

  [[nodiscard]] std::uint64_t size() const noexcept { return mask_ + 1; }

 private:
  [[gnu::always_inline]] static void own_soon(Word<std::uint64_t>& word) noexcept {
#if defined(__x86_64__)
    // The builtin fetches for reading, unless compiled for newer processors. Those before 2014 do nothing here.
    asm volatile("prefetchw %0" : : "m"(word));
#else
    __builtin_prefetch(&word, 1);
#endif
  }

  Slot* slots_;
  std::uint64_t mask_;
};

// A subscriber's side.
class RingReader {
 public:
  RingReader() = default;
  RingReader(const Slot* slots, std::uint64_t count) noexcept : slots_(slots), mask_(count - 1) {}

  // Nobody publishes so many: who is led here reads memory that was overwritten.
  static constexpr std::uint64_t beyond_all = std::uint64_t{1} << 60U;

  // Moves `sequence` over what is gone, to the oldest sample at or after it that may be there. True: that one is valid
  // now. False: it is not published yet, or, at beyond_all and above, the ring cannot be trusted.
  bool seek(std::uint64_t& sequence) const noexcept {
    while (true) {
      const std::uint64_t word = slots_[sequence & mask_].word.load(std::memory_order_seq_cst);
      if (word == valid_mark(sequence)) [[likely]] {
        return true;
      }
      if (word < valid_mark(sequence) || sequence >= beyond_all) {
        return false;
      }
      // Retired: the next may be there. Else the slot is at a later sample, and all up to that one's predecessor in the
      // slot have been overwritten.
      sequence = word == retired_mark(sequence) ? sequence + 1 : std::max(sequence + 1, word / 4 - mask_);
    }
  }

  // Where sample `sequence` lies, for who does the steps below by hand (SubscriberPort::take).
  [[nodiscard]] const Slot& slot(std::uint64_t sequence) const noexcept { return slots_[sequence & mask_]; }

  // Whether sample `sequence` has been published, be it valid, retired or overwritten now.
  [[nodiscard]] bool published(std::uint64_t sequence) const noexcept {
    return slots_[sequence & mask_].word.load(std::memory_order_acquire) >= valid_mark(sequence);
  }

  // The fields of sample `sequence`, which seek() found valid. They may be torn: trust them only if still_valid() says
  // so after the chunk was pinned.
  [[nodiscard]] Descriptor read(std::uint64_t sequence) const noexcept {
    const Slot& slot = slots_[sequence & mask_];
    Descriptor sample;
    sample.chunk = ChunkRef::from(slot.chunk.load(std::memory_order_acquire));
    sample.size = slot.size.load(std::memory_order_acquire);
    if (sample.is_carried()) {
      sample.ticks = slot.ticks.load(std::memory_order_acquire);
      return sample;
    }
    const std::uint64_t header = slot.header.load(std::memory_order_acquire);
    sample.header_size = static_cast<std::uint32_t>(header >> 32U);
    sample.payload_offset = static_cast<std::uint32_t>(header);
    sample.ticks = slot.ticks.load(std::memory_order_acquire);
    return sample;
  }
  [[nodiscard]] bool still_valid(std::uint64_t sequence) const noexcept {
    return slots_[sequence & mask_].word.load(std::memory_order_seq_cst) == valid_mark(sequence);
  }

  // One more than the newest published sequence, given one that is not above that. Bisection: published() is true up to
  // the newest and false after it, as far as the ring reaches. A publisher that overtakes the search gets the scan.
  [[nodiscard]] std::uint64_t end_from(std::uint64_t known) const noexcept {
    std::uint64_t low = known;
    std::uint64_t high = known + mask_ + 1;
    if (published(high - 1)) {
      return end();
    }
    while (low < high) {
      const std::uint64_t middle = low + (high - low) / 2;
      if (published(middle)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  // One more than the newest published sequence, with nothing known: the largest that any slot tells.
  [[nodiscard]] std::uint64_t end() const noexcept {
    std::uint64_t end = 0;
    for (std::uint64_t index = 0; index <= mask_; ++index) {
      const std::uint64_t word = slots_[index].word.load(std::memory_order_acquire);
      if (word != 0) {
        end = std::max(end, word % 4 == 1 ? word / 4 : word / 4 + 1);
      }
    }
    return end;
  }

 private:
  const Slot* slots_ = nullptr;
  std::uint64_t mask_ = 0;
};

}  // namespace weir::shm
