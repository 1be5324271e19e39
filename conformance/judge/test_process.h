// Runs one test of this very program in a process of its own, so that a backend that hangs, crashes, aborts or eats
// memory costs no verdict but that of the test.
//
//   const TestLimits limits{.patience = 90s, .memory = 4ULL << 30U};
//   const TestVerdict verdict =
//       run_test("Ordering.NothingComesTwice", limits, {{"WEIR_JUDGE_ENDPOINT", "theirs://{topic}"}});
//
// The process and all that it starts are ended with the test, and its files in the shared-memory file system are
// removed, also when SIGINT or SIGTERM comes meanwhile. Linux only. Not thread-safe: one test at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "conformance/report/verdicts.h"

namespace weir::conformance {

struct TestLimits {
  std::chrono::seconds patience{60};   // what the test's own watchdog has; the process has some more
  std::uint64_t memory = 4ULL << 30U;  // bytes of all its processes and of its files, together
  int seed = 0;                        // of its random choices; 0: any
  std::chrono::seconds budget{5};      // how long tests that are as good as they are long shall go on
};

// Environment variables for the process.
using Environment = std::map<std::string, std::string>;

// Throws HarnessFailure if this machine lets no process be started, or when it was interrupted by a signal.
[[nodiscard]] TestVerdict run_test(const std::string& test, const TestLimits& limits, const Environment& environment);

// To be called first in main(), behind peer_main(): the process of run_test runs its test there, and the program shall
// end with what is returned. Negative: this process is none.
[[nodiscard]] int test_main(int argc, char** argv);

}  // namespace weir::conformance
