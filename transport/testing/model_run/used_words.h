// Which words of shared files need a point before each access: those that several processes use and one of them writes.
// And of which a store may be worth delaying: those after which its process reads another such word before its store
// buffer is emptied. (A delay of any other store cannot be told from none.)
//
// It is learnt from executions. What an exploration goes by stays as it is until settle(), for a schedule names
// decisions by their number; an exploration that taught something new is done again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "transport/testing/model_run/scheduler.h"

namespace weir::testing {

class UsedWords {
 public:
  void forget() noexcept;
  void note(std::size_t place, std::size_t process, bool writes) noexcept;
  [[nodiscard]] bool is_contended(std::size_t place) const noexcept { return contended_[place / cell]; }
  // A process has stored to a word; has emptied its buffer; reads a contended word.
  void note_store(std::size_t place, std::size_t process) noexcept;
  void note_drain(std::size_t process) noexcept { stored_[process].clear(); }
  void note_load_after_stores(std::size_t process) noexcept;
  [[nodiscard]] bool is_worth_delaying(std::size_t place) const noexcept { return worth_delaying_[place / cell]; }
  // True: there is more of either than before.
  [[nodiscard]] bool settle() noexcept;

 private:
  static constexpr std::size_t cell = 4;
  struct Users {
    std::uint8_t all = 0;  // one bit a process
    std::uint8_t writing = 0;
    bool read_past = false;
  };
  void make_room();

  std::vector<Users> users_;
  std::vector<bool> contended_;
  std::vector<bool> worth_delaying_;
  std::array<std::vector<std::size_t>, most_processes> stored_;  // cells, since the last drain
  std::vector<std::size_t> touched_;                             // cells that were used at all
};

}  // namespace weir::testing
