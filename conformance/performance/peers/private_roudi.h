// A RouDi for the measurements of iceoryx, in mounts of its own, so that it
// meets no other and leaves nothing.
//
// It runs below a keeper process; the processes of a measurement enter the
// keeper's mounts first (Crew::prelude).
#pragma once

#include <sys/types.h>

#include <string>

namespace weir::performance {

class PrivateRoudi {
 public:
  // The one of this process. Starts it when there is none. Empty if it runs,
  // else why not.
  static std::string start();
  // Ends it, as when a measurement may have damaged it; the next start() makes
  // another.
  static void end();
  // In a forked child: what it sees is what RouDi sees from now on. Throws
  // Failure.
  static void enter();
};

}  // namespace weir::performance
