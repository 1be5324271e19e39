// A std::atomic with a point (points.h) before each access: what the shared-memory transport is compiled with to be
// killed everywhere.
#pragma once

#include <atomic>

#include "transport/testing/points.h"

namespace weir::testing {

template <class Value>
class PointedWord {
 public:
  PointedWord() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): as std::atomic
  constexpr PointedWord(Value value) noexcept : word_(value) {}
  PointedWord(const PointedWord&) = delete;
  PointedWord& operator=(const PointedWord&) = delete;

  Value load(std::memory_order order = std::memory_order_seq_cst) const noexcept {
    point("a load of a shared word");
    return word_.load(order);
  }
  void store(Value value, std::memory_order order = std::memory_order_seq_cst) noexcept {
    point("a store to a shared word");
    word_.store(value, order);
  }
  Value exchange(Value value, std::memory_order order = std::memory_order_seq_cst) noexcept {
    point("an exchange of a shared word");
    return word_.exchange(value, order);
  }
  Value fetch_add(Value value, std::memory_order order = std::memory_order_seq_cst) noexcept {
    point("an addition to a shared word");
    return word_.fetch_add(value, order);
  }
  Value fetch_sub(Value value, std::memory_order order = std::memory_order_seq_cst) noexcept {
    point("a subtraction from a shared word");
    return word_.fetch_sub(value, order);
  }

 private:
  std::atomic<Value> word_;
};

}  // namespace weir::testing
