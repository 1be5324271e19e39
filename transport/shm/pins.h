// A subscriber's pins: the chunks it is reading, one word for each sample in hand; small messages are copied
// (carried.h) and pin nothing.
//
// Ownership. In the subscriber's segment, written by the subscriber alone: set by the thread that takes, cleared by
// whichever thread releases.
//
// Invariants. A word that is 0 is free, so the words themselves are the allocation; the one used last is tried first.
// `pins_used` is raised before an index is used for the first time, so publishers read only as many pins as were ever
// needed.
//
// Memory order. set() is a sequentially consistent exchange: see ring.h. clear() is a release, so that all reads of the
// chunk come before it is given back; who finds a pin free has acquired that, and may write over what it stood for.
// pins_used is raised by a sequentially consistent store before the exchange.
//
// If the process dies here. Its pins hold their chunks until a publisher that needs one tests its lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "transport/shm/carried.h"
#include "transport/shm/chunk_ref.h"
#include "transport/shm/layout.h"
#include "transport/shm/residence.h"

namespace weir::shm {

class Pins {
 public:
  using Pin = Word<std::uint64_t>;

  Pins(Pin* words, std::size_t count, Word<std::uint64_t>& used)
      : words_(words), count_(count), used_(used), copies_(std::make_unique_for_overwrite<SmallMessage[]>(count)) {}

  // The copies too are memory of the data path.
  [[nodiscard]] Status settle_in(const Residence& residence, std::string_view what) const {
    const auto* const begin = reinterpret_cast<const std::byte*>(copies_.get());
    return make_resident(residence, begin, count_ * sizeof(SmallMessage), Access::write, what);
  }

  // The pin used last; if that is not free again, lowest_free() tells.
  [[nodiscard]] Pin& last() noexcept { return *last_; }
  // Where the small message that belongs to that pin is copied to.
  [[nodiscard]] std::byte* last_copy() const noexcept { return last_copy_; }
  [[nodiscard]] static bool is_free(const Pin& pin) noexcept { return pin.load(std::memory_order_acquire) == 0; }
  // The first pin that is free; null if all are set.
  [[nodiscard]] Pin* lowest_free() noexcept {
    std::size_t index = 0;
    while (index < count_ && words_[index].load(std::memory_order_acquire) != 0) {
      ++index;
    }
    if (index == count_) [[unlikely]] {
      return nullptr;
    }
    if (used_.load(std::memory_order_relaxed) <= index) [[unlikely]] {
      used_.store(index + 1, std::memory_order_seq_cst);
    }
    last_copy_ = copies_[index].bytes.data();
    return last_ = &words_[index];
  }

  static void set(Pin& pin, std::uint64_t value) noexcept { pin.exchange(value, std::memory_order_seq_cst); }
  // The pin's place is in use, and no chunk: nobody else needs to know.
  static void occupy(Pin& pin) noexcept { pin.store(pin_of_no_chunk, std::memory_order_release); }
  static void clear(Pin& pin) noexcept { pin.store(0, std::memory_order_release); }

  // Whether a sample of the publisher with this entry of the cursor table is in hand.
  [[nodiscard]] bool any_of(std::size_t entry) const noexcept {
    for (std::size_t index = 0; index < used_.load(std::memory_order_relaxed); ++index) {
      const std::uint64_t pin = words_[index].load(std::memory_order_relaxed);
      if (pin != 0 && entry_of_pin(pin) == entry) {
        return true;
      }
    }
    return false;
  }

 private:
  static inline Pin never_free{1};

  Pin* words_;
  std::size_t count_;
  Word<std::uint64_t>& used_;
  std::unique_ptr<SmallMessage[]> copies_;  // one for each pin, in memory of the process
  Pin* last_ = &never_free;                 // below pins_used, unless it is that
  std::byte* last_copy_ = nullptr;
};

}  // namespace weir::shm
