// A stop token as a descriptor, for poll(2).
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <stop_token>

#include "transport/deadline.h"

namespace mqueue {

class StopSignal {
 public:
  explicit StopSignal(const std::stop_token& stop)
      : descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), callback_(stop, [this] {
          const std::uint64_t one = 1;
          [[maybe_unused]] const auto written = ::write(descriptor_.number, &one, sizeof(one));
        }) {}
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  [[nodiscard]] int descriptor() const noexcept { return descriptor_.number; }

 private:
  struct Descriptor {
    int number;
    explicit Descriptor(int made) : number(made) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { ::close(number); }
  };
  Descriptor descriptor_;
  std::stop_callback<std::function<void()>> callback_;
};

// For poll(2), rounded up.
inline int milliseconds_until(weir::Deadline deadline) {
  if (deadline == weir::never) return -1;
  if (weir::passed(deadline)) return 0;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, std::numeric_limits<int>::max()));
}

}  // namespace mqueue
