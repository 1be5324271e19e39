#include "conformance/harness/asleep.h"

#include <sched.h>

#include <fstream>
#include <iterator>
#include <string>

#include <fmt/format.h>

#include "conformance/harness/failure.h"

namespace weir::conformance {

bool asleep(pid_t process, pid_t thread) {
  // The state is the field after the name in parentheses (proc(5), stat).
  std::ifstream file(fmt::format("/proc/{}/task/{}/stat", process, thread));
  const std::string stat((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) throw HarnessFailure("the thread that should be asleep is gone");
  return stat.at(name_end + 2) == 'S';
}

void wait_until_asleep(pid_t process, pid_t thread) {
  while (!asleep(process, thread)) sched_yield();
}

}  // namespace weir::conformance
