// Instructions that a program executes, counted by valgrind's callgrind: the
// same in every run, however busy the machine.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "transport/status.h"

namespace weir::performance {

struct InstructionCount {
  std::uint64_t total = 0;
  std::map<std::string, std::uint64_t> by_function;  // "function", with all that was inlined into it
  std::map<std::string, std::uint64_t> by_file;      // "file", of the source line
};

// Runs the program under callgrind. Its files are in `directory`, named after `name`, and are gone when it returns.
// Errors: not_found when valgrind or callgrind_annotate (which is a Perl program) cannot be run; internal, with their
// output, when one of them or the program fails.
[[nodiscard]] Result<InstructionCount> count_instructions(const std::vector<std::string>& command,
                                                          const std::string& directory, const std::string& name);

// What each thing costs: the counts of `many` less those of `few`, for each of
// `things` that `many` did more. What both did alike, set-up and end, is left
// out.
struct InstructionCost {
  double total = 0;
  std::vector<std::pair<std::string, double>> by_function;  // most first, nothing below a tenth
  std::vector<std::pair<std::string, double>> by_file;
};
[[nodiscard]] InstructionCost cost_of(const InstructionCount& few, const InstructionCount& many, std::uint64_t things);

// A table for people.
[[nodiscard]] std::string to_string(const InstructionCost& cost);

}  // namespace weir::performance
