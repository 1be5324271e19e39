#include "transport/testing/model_run/used_words.h"

#include <bit>

#include "transport/testing/model_run/execution_memory.h"

namespace weir::testing {
namespace {
constexpr std::size_t most_stores = 256;
}

void UsedWords::make_room() {
  constexpr std::size_t cells = shared_bytes / cell;
  if (users_.size() == cells) return;
  const OutsideExecution outside;
  users_.resize(cells);
  contended_.resize(cells);
  worth_delaying_.resize(cells);
  for (auto& cells_stored : stored_) cells_stored.reserve(most_stores);
  touched_.reserve(cells);  // so that note() never allocates
}

void UsedWords::forget() noexcept {
  make_room();
  for (const std::size_t index : touched_) {
    users_[index] = {};
    contended_[index] = false;
    worth_delaying_[index] = false;
  }
  touched_.clear();
}

void UsedWords::note(std::size_t place, std::size_t process, bool writes) noexcept {
  Users& users = users_[place / cell];
  if (users.all == 0) touched_.push_back(place / cell);
  const auto bit = static_cast<std::uint8_t>(1U << process);
  users.all |= bit;
  if (writes) users.writing |= bit;
}

void UsedWords::note_store(std::size_t place, std::size_t process) noexcept {
  // Beyond that, the oldest are taken for worth delaying.
  if (stored_[process].size() == most_stores) note_load_after_stores(process);
  stored_[process].push_back(place / cell);
}

void UsedWords::note_load_after_stores(std::size_t process) noexcept {
  for (const std::size_t index : stored_[process]) users_[index].read_past = true;
  stored_[process].clear();
}

bool UsedWords::settle() noexcept {
  bool more = false;
  for (const std::size_t index : touched_) {
    if (users_[index].read_past && !worth_delaying_[index]) {
      worth_delaying_[index] = true;
      more = true;
    }
    if (!contended_[index] && users_[index].writing != 0 && std::popcount(users_[index].all) > 1) {
      contended_[index] = true;
      more = true;
    }
  }
  return more;
}

}  // namespace weir::testing
