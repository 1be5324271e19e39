// Small payloads, which travel in the slot: the reader of a message of 64 bytes fetches two cache lines at a time, and
// no third one later, no chunk is lent, and nothing has to be pinned.
//
// Layout. The slot's `carried` words, a cache line. What lies behind the message's `size` bytes means nothing, but is
// copied with them.
//
// Ownership. The publisher lends a draft, memory of its own process, and copies it into the slot when it is published.
// A subscriber copies the words out of the slot into memory of its own process, one place for each pin, before it looks
// at the slot's word again.
//
// Invariants. A message has at most carried_size bytes, and no user header.
//
// Memory order. That of the slot's other fields (ring.h): release stores after the mark 4n+1, acquire loads before the
// second look at the word. A word that another write has torn is never used.
//
// If the process dies here. A draft or a copy is gone with its process; a slot is as ring.h says.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "transport/shm/layout.h"

namespace weir::shm {

// Room for one in memory of the process.
struct alignas(cache_line) SmallMessage {
  std::array<std::byte, carried_size> bytes;
};

// Both without a loop: a small message costs its instructions. `size`: of the memory in the process; what lies behind
// it in the slot is left as it is.
template <std::size_t size = carried_size>
[[gnu::always_inline]] inline void store_carried(Slot& slot, const std::byte* from) noexcept {
#pragma GCC unroll 8
  for (std::size_t at = 0; at < size; at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, from + at, std::min(sizeof(word), size - at));
    slot.carried[at / sizeof(word)].store(word, std::memory_order_release);
  }
}
template <std::size_t size = carried_size>
[[gnu::always_inline]] inline void load_carried(const Slot& slot, std::byte* to) noexcept {
#pragma GCC unroll 8
  for (std::size_t at = 0; at < size; at += sizeof(std::uint64_t)) {
    const std::uint64_t word = slot.carried[at / sizeof(word)].load(std::memory_order_acquire);
    std::memcpy(to + at, &word, std::min(sizeof(word), size - at));
  }
}

// A publisher's drafts. Thread-compatible.
class Drafts {
 public:
  // `count`: how many can be lent at one time.
  explicit Drafts(std::size_t count)
      : drafts_(std::make_unique<SmallMessage[]>(count)),
        free_(std::make_unique<std::byte*[]>(count + 1)),
        top_(free_.get()) {
    for (std::size_t index = count; index > 0; --index) {
      give_back(drafts_[index - 1].bytes.data());
    }
  }

  // Null if all are lent.
  [[nodiscard]] std::byte* take() noexcept {
    std::byte* const draft = *top_;
    if (draft != nullptr) [[likely]] {
      --top_;
    }
    return draft;
  }
  void give_back(std::byte* draft) noexcept { *++top_ = draft; }

 private:
  std::unique_ptr<SmallMessage[]> drafts_;
  std::unique_ptr<std::byte*[]> free_;
  std::byte** top_;  // of a stack, whose bottom is null
};

}  // namespace weir::shm
