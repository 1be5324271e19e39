// A std::atomic whose accesses the scheduler orders, when it lies in a shared file: what the shared-memory transport is
// compiled with for the model run.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "transport/testing/model_run/execution_memory.h"
#include "transport/testing/model_run/scheduler.h"

namespace weir::testing {

template <class Value>
class ScheduledWord {
 public:
  ScheduledWord() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): as std::atomic
  constexpr ScheduledWord(Value value) noexcept : word_(value) {}
  ScheduledWord(const ScheduledWord&) = delete;
  ScheduledWord& operator=(const ScheduledWord&) = delete;
  ~ScheduledWord() = default;

  Value load(std::memory_order /*order*/ = std::memory_order_seq_cst) const noexcept {
    return is_shared() ? static_cast<Value>(load_word(&word_, sizeof(Value))) : word_;
  }
  void store(Value value, std::memory_order order = std::memory_order_seq_cst) noexcept {
    if (!is_shared()) {
      word_ = value;
    } else {
      store_word(&word_, sizeof(Value), value, order == std::memory_order_seq_cst ? Drain::yes : Drain::no);
    }
  }
  // On x86 all of these empty the store buffer, whatever their order.
  Value exchange(Value value, std::memory_order /*order*/ = std::memory_order_seq_cst) noexcept {
    return update([value](Value) { return value; });
  }
  Value fetch_add(Value value, std::memory_order /*order*/ = std::memory_order_seq_cst) noexcept {
    return update([value](Value before) { return static_cast<Value>(before + value); });
  }
  Value fetch_sub(Value value, std::memory_order /*order*/ = std::memory_order_seq_cst) noexcept {
    return update([value](Value before) { return static_cast<Value>(before - value); });
  }

 private:
  [[nodiscard]] bool is_shared() const noexcept { return place_in_pages(&word_) < shared_bytes; }
  template <class Change>
  Value update(Change change) noexcept {
    if (is_shared()) begin_update(&word_, sizeof(Value));
    const Value before = word_;
    word_ = change(before);
    return before;
  }

  Value word_;
};

}  // namespace weir::testing
