// The loans or the samples of a port: as many as were ever out at one time, used again and again, in a ring.
//
//   if (slots.current().is_free() || slots.find_free()) use(slots.current());     // else all are out
//
// A Slot has is_free(), and nothing else is asked of it. Slots do not move. Thread safety: none.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>

namespace weir::zeromq {

template <class Slot>
class Slots {
 public:
  // `most`: how many there may be, at least one; `at_first`: how many there are to begin with.
  explicit Slots(std::uint64_t most, std::uint64_t at_first = 1) : most_(most) {
    while (all_.size() < std::min(most, at_first)) add();
  }
  Slots(const Slots&) = delete;
  Slots& operator=(const Slots&) = delete;

  [[nodiscard]] Slot& current() const noexcept { return current_->slot; }
  void advance() noexcept { current_ = current_->next; }

  // Makes another one, or a new one, the current slot, which is free then. False: all are out, and there are as many as
  // there may be.
  [[nodiscard]] bool find_free() {
    constexpr std::size_t looks_before_growth = 16;
    const bool may_grow = all_.size() < most_;
    const std::size_t most_looks = may_grow ? std::min(all_.size(), looks_before_growth) : all_.size();
    for (std::size_t looks = 0; looks < most_looks; ++looks) {
      advance();
      if (current().is_free()) return true;
    }
    if (may_grow) add();
    return may_grow;
  }

  // Calls `visit` with every slot.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const Place& place : all_) visit(place.slot);
  }
  [[nodiscard]] std::size_t size() const noexcept { return all_.size(); }

 private:
  struct Place {
    Slot slot{};
    Place* next = nullptr;
  };

  // Makes a new one the current slot.
  void add() {
    Place& added = all_.emplace_back();
    added.next = current_ == nullptr ? &added : current_->next;
    (current_ == nullptr ? added : *current_).next = &added;
    current_ = &added;
  }

  const std::uint64_t most_;
  std::deque<Place> all_;
  Place* current_ = nullptr;
};

}  // namespace weir::zeromq
