// A /tmp and a /dev/shm of this process's own, so that it can have a RouDi of its own: iceoryx knows one RouDi, by
// fixed names in both.
//
// To be called before the process has threads. Its children share the mounts. As root, or with user namespaces.
#pragma once

#include <string>

namespace weir::iceoryx {

// Empty if it worked; else why not, for INCONCLUSIVE. What the test runner gave paths to below /tmp stays where it was.
[[nodiscard]] std::string enter_private_mounts();

}  // namespace weir::iceoryx
