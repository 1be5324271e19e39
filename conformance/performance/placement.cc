#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "conformance/performance/crew.h"
#include "conformance/performance/pinning.h"

namespace weir::performance {
namespace {

// What tells two cores apart; two threads of one core have the same.
std::string core_of(int processor) {
  std::string core;
  for (const std::string_view part : {"physical_package_id", "core_id"}) {
    std::ifstream file(fmt::format("/sys/devices/system/cpu/cpu{}/topology/{}", processor, part));
    std::string text;
    std::getline(file, text);
    core += text + '/';
  }
  return core;
}

}  // namespace

Placement find_placement() {
  cpu_set_t before;
  CPU_ZERO(&before);
  if (sched_getaffinity(0, sizeof(before), &before) != 0) {
    return {.processors = {}, .text = fmt::format("not pinned: sched_getaffinity: {}", std::strerror(errno))};
  }
  std::vector<int> allowed;
  for (int processor = 0; processor < CPU_SETSIZE; ++processor) {
    if (CPU_ISSET(static_cast<std::size_t>(processor), &before)) {
      allowed.push_back(processor);
    }
  }
  if (allowed.size() < 2) {
    return {.processors = {},
            .text =
                "not pinned: there is one processor, so figures of two "
                "processes are those of the scheduler"};
  }
  const std::string core = core_of(allowed.front());
  const auto other =
      std::find_if(allowed.begin() + 1, allowed.end(), [&](int processor) { return core_of(processor) != core; });
  const bool shared = other == allowed.end();
  const std::array<int, 2> chosen{allowed.front(), shared ? allowed[1] : *other};
  const bool possible = pin_to(chosen[0]) && pin_to(chosen[1]);
  const int reason = errno;
  sched_setaffinity(0, sizeof(before), &before);
  if (!possible) {
    return {.processors = {}, .text = fmt::format("not pinned: sched_setaffinity: {}", std::strerror(reason))};
  }
  return {.processors = chosen,
          .text = fmt::format("pinned to processors {} and {}{}", chosen[0], chosen[1],
                              shared ? ", two threads of one core" : "")};
}

}  // namespace weir::performance
