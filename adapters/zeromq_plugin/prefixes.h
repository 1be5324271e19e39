// A set of subscriptions: prefixes, each counted as often as it was asked for.
//
//   prefixes.add("a");
//   prefixes.match(first_frame)    // does one of them begin it?
//
// What does not match is seen where it lies and never copied. Thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace weir::zmq_plugin {

class Prefixes {
 public:
  using Counts = std::map<std::string, std::uint32_t, std::less<>>;

  void add(std::string_view prefix);
  // False if it was not there.
  bool remove(std::string_view prefix);

  [[nodiscard]] bool empty() const noexcept { return counts_.empty(); }
  [[nodiscard]] bool match(std::span<const std::byte> frame) const noexcept {
    return everything_ || (!counts_.empty() && match_one(frame));
  }
  [[nodiscard]] const Counts& counts() const noexcept { return counts_; }

 private:
  [[nodiscard]] bool match_one(std::span<const std::byte> frame) const noexcept;

  Counts counts_;
  std::map<std::size_t, std::uint32_t> sizes_;  // how many different prefixes have this size
  bool everything_ = false;                     // the empty prefix is among them
};

}  // namespace weir::zmq_plugin
