#include "tools/weir/rate.h"

#include <algorithm>
#include <cmath>

namespace weir::tool {

void Rate::add(Moment moment, std::uint64_t bytes, std::uint64_t lost) {
  if (messages_ == 0) {
    first_ = last_ = moment;
    first_bytes_ = bytes;
  } else {
    moment = std::max(moment, last_);
    const double span = std::chrono::duration<double>(moment - last_).count();
    const auto spans = static_cast<double>(messages_);
    shortest_ = messages_ == 1 ? span : std::min(shortest_, span);
    longest_ = std::max(longest_, span);
    const double before = span - mean_;
    mean_ += before / spans;
    squares_ += before * (span - mean_);
    last_ = moment;
  }
  if (messages_ == (seeded_ ? 1U : 0U)) smallest_ = bytes;
  ++messages_;
  bytes_ += bytes;
  lost_ += lost;
  smallest_ = std::min(smallest_, bytes);
  largest_ = std::max(largest_, bytes);
}

double Rate::seconds() const noexcept { return std::chrono::duration<double>(last_ - first_).count(); }

double Rate::per_second() const noexcept { return seconds() > 0 ? static_cast<double>(messages_ - 1) / seconds() : 0; }

double Rate::bytes_per_second() const noexcept {
  return seconds() > 0 ? static_cast<double>(bytes_ - first_bytes_) / seconds() : 0;
}

double Rate::deviation() const noexcept {
  return messages_ > 1 ? std::sqrt(squares_ / static_cast<double>(messages_ - 1)) : 0;
}

double Rate::mean_size() const noexcept {
  return messages() != 0 ? static_cast<double>(bytes_) / static_cast<double>(messages()) : 0;
}

Rate Rate::following() const noexcept {
  Rate next;
  if (messages_ != 0) {
    next.add(last_, 0, 0);
    next.seeded_ = true;
  }
  return next;
}

}  // namespace weir::tool
