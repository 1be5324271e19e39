// The stores of one processor that no other can see yet, oldest first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

namespace weir::testing {

class StoreBuffer {
 public:
  struct Store {
    void* word = nullptr;
    std::size_t size = 0;
    std::uint64_t value = 0;
    void commit() const noexcept { std::memcpy(word, &value, size); }  // of a little-endian machine
  };

  [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
  [[nodiscard]] bool full() const noexcept { return end_ == stores_.size(); }
  void clear() noexcept { begin_ = end_ = 0; }
  void push(const Store& store) noexcept { stores_[end_++] = store; }
  [[nodiscard]] const Store& oldest() const noexcept { return stores_[begin_]; }
  // The oldest store goes to memory.
  void commit_oldest() noexcept {
    stores_[begin_++].commit();
    if (begin_ == end_) clear();
  }
  void drain() noexcept {
    while (!empty()) commit_oldest();
  }
  // What the processor itself reads from a word.
  [[nodiscard]] std::optional<std::uint64_t> find(const void* word) const noexcept {
    for (std::size_t index = end_; index > begin_; --index) {
      if (stores_[index - 1].word == word) return stores_[index - 1].value;
    }
    return std::nullopt;
  }

 private:
  std::array<Store, 64> stores_{};  // no processor has more
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

}  // namespace weir::testing
