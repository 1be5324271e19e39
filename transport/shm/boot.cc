#include "transport/shm/boot.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "transport/shm/file.h"
#include "transport/shm/names.h"

namespace weir::shm {

std::uint64_t this_boot() {
  static const std::uint64_t boot = [] {
    std::array<char, 64> text{};
    const File file(open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
    const ssize_t size = file ? read(file.get(), text.data(), text.size()) : 0;
    // Where it cannot be read, all boots are one.
    return durable_id(std::string_view(text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))));
  }();
  return boot;
}

}  // namespace weir::shm
