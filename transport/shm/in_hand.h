// What a durable subscriber has in hand, noted so that its successor can be told: the sequence of each sample behind a
// pin.
//
// Layout. One InHandNote for each pin, behind the pins; in segments of durable subscribers alone (segment.h).
//
// Ownership. The subscriber, and after its death the successor that holds its lock. Nobody else reads it.
//
// Invariants. A note means something only while its pin is set. A sample is in hand if its pin is set, its note names
// it, and the cursor of its publisher is beyond it: until then it is not taken, and comes again.
//
//   take:     note = none · pin · (validate) · note = sample · cursor
//   release:  pin = 0
//
// A successor moves what was in hand to the places `left`, before it clears the pins; so what one successor does not
// come to tell, the next one tells, as far as there is room: there are as many places as pins. They are emptied when
// they were told, and when a subscriber leaves properly.
//
// Memory order. One process alone reads and writes, one after the other: what counts is the order in which stores come
// to memory, so all are releases.
//
// If the process dies here. As above: a sample is on the list from the store of the cursor to the clearing of the pin.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "transport/membership.h"
#include "transport/shm/layout.h"

namespace weir::shm {

class InHandNotes {
 public:
  // `memory`: the subscriber's segment. One that is not durable notes nothing.
  InHandNotes(std::byte* memory, std::size_t pins, bool is_durable) noexcept;

  // Around setting that pin, as above.
  void forget(const Word<std::uint64_t>& pin) noexcept {
    if (notes_ != nullptr) [[unlikely]] {
      note_of(pin).sequence.store(0, std::memory_order_release);
    }
  }
  void note(const Word<std::uint64_t>& pin, PeerId publisher, std::uint64_t sequence) noexcept {
    if (notes_ != nullptr) [[unlikely]] {
      note_of(pin).publisher.store(publisher, std::memory_order_release);
      note_of(pin).sequence.store(sequence + 1, std::memory_order_release);
    }
  }

  // For a successor, before it clears the pins: moves what was in hand to what is left.
  void inherit() noexcept;
  // Adds what is left, by publisher and sequence, to the list; nothing is left from now on.
  void tell(std::vector<InHand>& told);
  // On a proper leave: nothing is left.
  void leave() noexcept;

 private:
  [[nodiscard]] InHandNote& note_of(const Word<std::uint64_t>& pin) noexcept { return notes_[&pin - pins_]; }
  void leave_to_successors(PeerId publisher, std::uint64_t sequence, InHandNote& last_resort) noexcept;
  // Whether the cursor of that publisher is beyond the sample.
  [[nodiscard]] bool is_taken(PeerId publisher, std::uint64_t sequence) const noexcept;

  InHandNote* notes_ = nullptr;  // none: not durable
  const Cursor* cursors_;
  const Word<std::uint64_t>* pins_;
  std::size_t count_;
};

}  // namespace weir::shm
