// What `weir doctor` finds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "transport/endpoint.h"

namespace weir::tool {

enum class State : std::uint8_t {
  ok,
  warning,  // it works, but not all of it or not as well
  problem,  // it does not work
};

struct Finding {
  std::string subject;
  State state = State::ok;
  std::string found;
  std::string remedy = {};  // a command, or what to do
};

// Kernel, limits, and the services that other backends stand on.
[[nodiscard]] std::vector<Finding> findings_of_machine();

// The directory that holds the topics: its file system, permissions, and what is in it.
[[nodiscard]] std::vector<Finding> findings_of_root(const Endpoint& backend, const std::string& root);

}  // namespace weir::tool
