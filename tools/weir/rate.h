// Messages over time: their rate, their throughput, and how regularly they come.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace weir::tool {

class Rate {
 public:
  using Moment = std::chrono::steady_clock::time_point;

  // One message that came, or was published, at this moment. Moments of several publishers may go back a little.
  void add(Moment moment, std::uint64_t bytes, std::uint64_t lost);

  [[nodiscard]] std::uint64_t messages() const noexcept { return messages_ - (seeded_ ? 1U : 0U); }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

  // Of the spans between messages; there are none before the second.
  [[nodiscard]] bool has_spans() const noexcept { return messages_ > 1; }
  [[nodiscard]] double seconds() const noexcept;  // from the first to the last
  [[nodiscard]] double per_second() const noexcept;
  // Of payload; the first message only starts the clock.
  [[nodiscard]] double bytes_per_second() const noexcept;
  [[nodiscard]] double shortest() const noexcept { return shortest_; }
  [[nodiscard]] double longest() const noexcept { return longest_; }
  [[nodiscard]] double deviation() const noexcept;
  [[nodiscard]] double mean_size() const noexcept;
  [[nodiscard]] std::uint64_t smallest() const noexcept { return smallest_; }
  [[nodiscard]] std::uint64_t largest() const noexcept { return largest_; }

  // The same for messages after the last one so far, which starts the clock.
  [[nodiscard]] Rate following() const noexcept;

 private:
  bool seeded_ = false;  // the first one only started the clock: it was counted elsewhere
  std::uint64_t messages_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t first_bytes_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t smallest_ = 0;
  std::uint64_t largest_ = 0;
  Moment first_{};
  Moment last_{};
  double shortest_ = 0;
  double longest_ = 0;
  // Welford's sums of the spans: no catastrophic cancellation, however many.
  double mean_ = 0;
  double squares_ = 0;
};

}  // namespace weir::tool
