#include "tools/weir/pace.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <ctime>

namespace weir::tool {

bool sleep_until(Deadline moment, const Interrupts& interrupts) {
  constexpr std::chrono::nanoseconds second = std::chrono::seconds(1);
  while (!interrupts.token().stop_requested()) {
    const std::chrono::nanoseconds left = moment - std::chrono::steady_clock::now();
    if (left <= std::chrono::nanoseconds(0)) return true;
    const timespec time{.tv_sec = left / second, .tv_nsec = (left % second).count()};
    pollfd came{interrupts.descriptor(), POLLIN, 0};
    ppoll(&came, 1, &time, nullptr);
  }
  return false;
}

}  // namespace weir::tool
