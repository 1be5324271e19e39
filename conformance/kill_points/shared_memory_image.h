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
  using Bytes = std::vector<unsigned char>;  // compared by memcmp; of std::byte, one by one
  void read(Bytes& bytes);

  pid_t process_;
  std::vector<iovec> pieces_;  // in the other process
  std::size_t size_ = 0;
  Bytes now_;
  Bytes next_;
};

}  // namespace weir::conformance
