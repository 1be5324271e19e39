#include "conformance/kill_points/shared_memory_image.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace weir::conformance {
namespace {

// Of each mapping so much is looked at, from its beginning: words by which peers understand each other come before
// payloads, and a look is taken after every instruction.
constexpr std::size_t most_of_a_mapping = 32U << 10U;

}  // namespace

SharedMemoryImage::SharedMemoryImage(pid_t process) : process_(process) {
  std::ifstream maps(fmt::format("/proc/{}/maps", process));
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char dash = 0;
    std::string mode;
    words >> std::hex >> begin >> dash >> end >> mode;
    if (mode != "rw-s" || line.find("weir-conformance-log") != std::string::npos) continue;
    const std::size_t size = std::min<std::size_t>(end - begin, most_of_a_mapping);
    pieces_.push_back({.iov_base = reinterpret_cast<void*>(begin), .iov_len = size});
    size_ += size;
  }
  read(now_);
}

void SharedMemoryImage::read(Bytes& bytes) {
  bytes.resize(size_);
  std::size_t at = 0;
  for (const iovec& piece : pieces_) {
    const iovec here{.iov_base = bytes.data() + at, .iov_len = piece.iov_len};
    // What cannot be read, as it was unmapped or is beyond the end of its file, stays as it was.
    [[maybe_unused]] const ssize_t size = process_vm_readv(process_, &here, 1, &piece, 1, 0);
    at += piece.iov_len;
  }
}

bool SharedMemoryImage::changed() {
  read(next_);
  if (next_ == now_) return false;
  std::swap(now_, next_);
  return true;
}

}  // namespace weir::conformance
