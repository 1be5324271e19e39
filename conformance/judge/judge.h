// Judges a backend: runs the tests one by one, tells of each, and writes the report.
#pragma once

#include "conformance/judge/command_line.h"
#include "conformance/report/verdicts.h"

namespace weir::conformance {

// main() of every judge, behind peer_main() and test_main(). 0: no requirement failed. 1: one did. 2: nothing could be
// judged. 3: none failed, and one is inconclusive.
[[nodiscard]] int judge_main(int argc, char** argv);

// What a judge of plug-ins tells the processes of its tests, and what such a process makes of it. A judge with a
// backend of its own defines them to be empty and false (linked_backend.cc).
[[nodiscard]] Environment environment_of(const JudgeOptions& options);
[[nodiscard]] bool judges_plugins();

}  // namespace weir::conformance
