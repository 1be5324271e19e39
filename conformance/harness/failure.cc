#include "conformance/harness/failure.h"

#include <cerrno>
#include <cstring>

namespace weir::conformance {

void throw_system_failure(std::string_view what) {
  throw HarnessFailure(std::string(what) + ": " + std::strerror(errno));
}

}  // namespace weir::conformance
