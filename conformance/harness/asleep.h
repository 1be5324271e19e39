// Whether a thread sleeps in the kernel: to bring a scene about ("now it is blocked"), never to judge.
#pragma once

#include <sys/types.h>

namespace weir::conformance {

[[nodiscard]] bool asleep(pid_t process, pid_t thread);

// Returns once it does. Throws HarnessFailure if there is no such thread.
void wait_until_asleep(pid_t process, pid_t thread);

}  // namespace weir::conformance
