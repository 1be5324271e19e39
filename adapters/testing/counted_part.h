// Marks the parts of a program whose instructions counted_parts.h counts.
#pragma once

#include <unistd.h>

#include <cstdio>

// Functions that do nothing, but have names that callgrind sees.
extern "C" {
[[gnu::noinline]] inline void weir_counted_part_begins() { asm volatile(""); }
[[gnu::noinline]] inline void weir_counted_part_ends() { asm volatile(""); }
}

namespace weir::testing {

struct CountedPart {
  CountedPart() { weir_counted_part_begins(); }
  ~CountedPart() {
    weir_counted_part_ends();
    std::printf("counted part of process %d\n", getpid());
    std::fflush(stdout);
  }
  CountedPart(const CountedPart&) = delete;
  CountedPart& operator=(const CountedPart&) = delete;
};

}  // namespace weir::testing
