// Order statistics of measurements.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace weir::performance {

// The middle value; of an even number of them the mean of the two in the
// middle. `values` must not be empty.
[[nodiscard]] inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 != 0) {
    return *middle;
  }
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

// The median of the ratios within each round. A machine that is slow for a
// while is slow for both values of a round, so this varies less than the ratio
// of the medians. Both have the same, non-zero size.
[[nodiscard]] inline double median_ratio(std::span<const double> values, std::span<const double> references) {
  std::vector<double> ratios(values.size());
  std::transform(values.begin(), values.end(), references.begin(), ratios.begin(),
                 [](double value, double reference) { return value / reference; });
  return median(std::move(ratios));
}

}  // namespace weir::performance
