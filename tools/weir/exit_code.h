// How the program ends: 0 for done, and for everything else a number that a script can act upon.
#pragma once

#include <cstdint>

#include "transport/status.h"

namespace weir::tool {

// docs/command-line.md lists them; they never change their meaning.
enum class ExitCode : std::uint8_t {
  done = 0,
  failed = 1,       // it could not be done for a reason that has no number of its own
  usage = 2,        // an argument, an endpoint or an option is wrong
  not_found = 3,    // the topic, file or backend is not there
  unsupported = 4,  // the backend cannot do this
  forbidden = 5,    // the operating system forbids it, or it belongs to somebody else
  exhausted = 6,    // memory, disk, descriptors or a limit
  timed_out = 7,    // the deadline passed before it was done
  corrupt = 8,      // what was read fails its checks
};

[[nodiscard]] ExitCode exit_code_of(ErrorCode code) noexcept;

}  // namespace weir::tool
