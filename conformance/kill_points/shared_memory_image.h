// What a process shows to others: the memory that it shares and may write, as an image that can be compared.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <vector>

namespace weir::conformance {

class SharedMemoryImage {
 public:
  // Of what the process has mapped now, the suite's own logs left out.
  explicit SharedMemoryImage(pid_t process);

  // Reads it again. True: it has changed.
  [[nodiscard]] bool changed();

 private:
  void read(std::vector<std::byte>& bytes);

  pid_t process_;
  std::vector<iovec> pieces_;  // in the other process
  std::size_t size_ = 0;
  std::vector<std::byte> now_;
  std::vector<std::byte> next_;
};

}  // namespace weir::conformance
