// Instructions that parts of a program execute, counted by valgrind's callgrind in one run of it: most of what a run
// takes is callgrind's own start.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "transport/status.h"

namespace weir::testing {

// Runs the program under callgrind and returns how many instructions all its threads execute in each CountedPart
// (counted_part.h), in the order in which they ended. They may be in processes that it forks, which share nothing then
// but what callgrind has made of the code. Files are in `directory` meanwhile.
// Errors: internal, with what it printed, when valgrind or the program fails.
[[nodiscard]] Result<std::vector<std::uint64_t>> count_parts(const std::vector<std::string>& command,
                                                             const std::string& directory);

}  // namespace weir::testing
