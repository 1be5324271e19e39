#include "transport/shm/in_hand.h"

#include <algorithm>

#include "transport/shm/segment.h"

namespace weir::shm {

InHandNotes::InHandNotes(std::byte* memory, std::size_t pins, bool is_durable) noexcept
    : cursors_(reinterpret_cast<const Cursor*>(memory + cursors_offset)),
      pins_(reinterpret_cast<const Word<std::uint64_t>*>(memory + pins_offset)),
      count_(pins) {
  if (is_durable) {
    notes_ = reinterpret_cast<InHandNote*>(memory + subscriber_segment_size(pins));
  }
}

bool InHandNotes::is_taken(PeerId publisher, std::uint64_t sequence) const noexcept {
  const auto* const cursor = std::find_if(cursors_, cursors_ + cursor_count, [publisher](const Cursor& one) {
    return one.publisher.load(std::memory_order_relaxed) == publisher;
  });
  // A publisher that was let go of had been read to its end.
  return cursor == cursors_ + cursor_count || cursor->next.load(std::memory_order_relaxed) > sequence;
}

void InHandNotes::inherit() noexcept {
  if (notes_ == nullptr) {
    return;
  }
  for (std::size_t index = 0; index < count_; ++index) {
    const std::uint64_t sequence = notes_[index].sequence.load(std::memory_order_relaxed);
    const PeerId publisher = notes_[index].publisher.load(std::memory_order_relaxed);
    if (pins_[index].load(std::memory_order_relaxed) != 0 && sequence != 0 && is_taken(publisher, sequence - 1)) {
      leave_to_successors(publisher, sequence, notes_[index]);
    }
  }
}

// `sequence` is one more than the sample's.
void InHandNotes::leave_to_successors(PeerId publisher, std::uint64_t sequence, InHandNote& last_resort) noexcept {
  InHandNote* place = &last_resort;
  for (InHandNote* note = notes_ + count_; note-- != notes_;) {
    const std::uint64_t left = note->left.load(std::memory_order_relaxed);
    if (left == sequence && note->left_publisher.load(std::memory_order_relaxed) == publisher) {
      return;  // by one that died before it cleared the pin
    }
    if (left == 0) {
      place = note;
    }
  }
  place->left.store(0, std::memory_order_release);
  place->left_publisher.store(publisher, std::memory_order_release);
  place->left.store(sequence, std::memory_order_release);
}

void InHandNotes::tell(std::vector<InHand>& told) {
  std::vector<InHand> list;
  for (std::size_t index = 0; notes_ != nullptr && index < count_; ++index) {
    InHandNote& note = notes_[index];
    if (const std::uint64_t sequence = note.left.load(std::memory_order_relaxed); sequence != 0) {
      list.push_back({.publisher = note.left_publisher.load(std::memory_order_relaxed), .sequence = sequence - 1});
    }
  }
  std::sort(list.begin(), list.end(), [](const InHand& left, const InHand& right) {
    return left.publisher != right.publisher ? left.publisher < right.publisher : left.sequence < right.sequence;
  });
  told.insert(told.end(), list.begin(), list.end());
  leave();  // last: without memory for the list, it is told the next time
}

void InHandNotes::leave() noexcept {
  for (std::size_t index = 0; notes_ != nullptr && index < count_; ++index) {
    if (notes_[index].left.load(std::memory_order_relaxed) != 0) {
      notes_[index].left.store(0, std::memory_order_release);
    }
  }
}

}  // namespace weir::shm
