// How many samples of each publisher a subscriber has missed, by the sequences of their envelopes.
//
//   record.lost_before = losses.account(envelope.publisher, envelope.sequence);
//
// A publisher is remembered until 1,024 others have been heard of since; one that is heard of anew has lost nothing.
// Thread safety: none.
#pragma once

#include <algorithm>
#include <cstdint>
#include <unordered_map>

#include "transport/membership.h"

namespace weir::zeromq {

class Losses {
 public:
  static constexpr std::size_t most_publishers = 1024;

  // How many samples between this one and the one before are missing.
  [[nodiscard]] std::uint64_t account(PeerId publisher, std::uint64_t sequence) {
    if (publisher != last_id_) {
      last_ = &find(publisher, sequence);
      last_id_ = publisher;
    }
    last_->used = ++uses_;
    // A sequence that was there before came by a second way; it takes nothing back.
    const std::uint64_t lost = sequence > last_->expected ? sequence - last_->expected : 0;
    last_->expected = std::max(last_->expected, sequence + 1);
    return lost;
  }

 private:
  struct Known {
    std::uint64_t expected = 0;
    std::uint64_t used = 0;
  };

  Known& find(PeerId publisher, std::uint64_t sequence) {
    const auto [found, is_new] = known_.try_emplace(publisher);
    if (is_new) {
      found->second.expected = sequence;
      found->second.used = uses_ + 1;
      if (known_.size() > most_publishers) forget_one(publisher);
    }
    return found->second;
  }
  void forget_one(PeerId but) {
    auto oldest = known_.end();
    for (auto each = known_.begin(); each != known_.end(); ++each) {
      if (each->first != but && (oldest == known_.end() || each->second.used < oldest->second.used)) oldest = each;
    }
    known_.erase(oldest);
  }

  std::unordered_map<PeerId, Known> known_;  // its references stay valid
  PeerId last_id_ = 0;
  Known* last_ = nullptr;
  std::uint64_t uses_ = 0;
};

}  // namespace weir::zeromq
