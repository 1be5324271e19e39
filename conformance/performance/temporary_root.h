// A weir root of one's own in memory, removed with all that is in it.
#pragma once

#include <string>

namespace weir::performance {

// While it lives, shm:// topics of this process and its children are in it
// (WEIR_ROOT). Throws std::system_error.
class TemporaryRoot {
 public:
  TemporaryRoot();
  ~TemporaryRoot();
  TemporaryRoot(const TemporaryRoot&) = delete;
  TemporaryRoot& operator=(const TemporaryRoot&) = delete;

 private:
  std::string path_;
};

}  // namespace weir::performance
