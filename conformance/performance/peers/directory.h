// Where peers put their sockets.
#pragma once

#include <cstdlib>
#include <string>

namespace weir::performance {

// The temporary root of this run (temporary_root.h), which is removed with all
// that is in it.
[[nodiscard]] inline std::string socket_directory() {
  const char* const root = std::getenv("WEIR_ROOT");
  return root == nullptr ? "/tmp" : root;
}

}  // namespace weir::performance
