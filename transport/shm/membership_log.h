// The events that next_event() gives out. Nothing is recorded before it is asked for the first time.
#pragma once

#include <deque>
#include <optional>
#include <utility>

#include "transport/membership.h"

namespace weir::shm {

class MembershipLog {
 public:
  [[nodiscard]] bool recording() const noexcept { return recording_; }
  // `fill` records who is there; if it throws, nothing is recorded, and recording has not begun.
  template <class Fill>
  void start(Fill fill) {
    recording_ = true;
    try {
      fill();
    } catch (...) {
      recording_ = false;
      events_.clear();
      throw;
    }
  }

  void record(Change change, const Peer& peer) {
    if (recording_) {
      events_.push_back({change, peer});
    }
  }

  [[nodiscard]] bool empty() const noexcept { return events_.empty(); }
  [[nodiscard]] std::optional<MembershipEvent> next() {
    if (events_.empty()) {
      return std::nullopt;
    }
    MembershipEvent event = std::move(events_.front());
    events_.pop_front();
    return event;
  }

 private:
  bool recording_ = false;
  std::deque<MembershipEvent> events_;
};

}  // namespace weir::shm
