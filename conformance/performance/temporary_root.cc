#include "conformance/performance/temporary_root.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace weir::performance {

TemporaryRoot::TemporaryRoot() : path_("/dev/shm/weir-performance-XXXXXX") {
  if (mkdtemp(path_.data()) == nullptr) {
    throw std::system_error(errno, std::generic_category(), "making the directory " + path_);
  }
  setenv("WEIR_ROOT", path_.c_str(), 1);
}

TemporaryRoot::~TemporaryRoot() {
  unsetenv("WEIR_ROOT");
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace weir::performance
