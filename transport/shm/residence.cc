#include "transport/shm/residence.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>

#include <fmt/format.h>

#include "transport/shm/layout.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

namespace weir::shm {
namespace {

std::string_view value_of(const ExtraOptions& options, std::string_view key) {
  const auto option = options.find(key);
  return option == options.end() ? std::string_view("no") : std::string_view(option->second);
}

Error lock_refused(int error_number, std::size_t size, std::string_view what) {
  rlimit limit{};
  const bool is_limited = getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  if (!is_limited || (error_number != ENOMEM && error_number != EPERM)) {
    return system_error(fmt::format("{}: locking {} bytes of memory (mlock=yes)", what, size), error_number);
  }
  return Error(ErrorCode::resource_exhausted,
               fmt::format("{}: {} bytes of memory more cannot be locked (mlock=yes), as RLIMIT_MEMLOCK allows {}: "
                           "raise it (ulimit -l, LimitMEMLOCK=), ask for less memory, or leave the option mlock away",
                           what, size, limit.rlim_cur));
}

}  // namespace

Result<Residence> residence_of(const ExtraOptions& options, std::string_view topic) {
  const auto wrong = [topic](std::string_view key, std::string_view value, std::string_view remedy) {
    return failure(ErrorCode::invalid_argument,
                   fmt::format("topic \"{}\": option {}=\"{}\" is not {}", topic, key, value, remedy));
  };
  Residence residence;
  const std::string_view lock = value_of(options, "mlock");
  if (lock != "yes" && lock != "no") {
    return wrong("mlock", lock, "yes or no: use one of these");
  }
  residence.locked = lock == "yes";
  const std::string_view touch = value_of(options, "prefault");
  residence.touched = touch != "no";
  if (touch != "yes" && touch != "no") {
    const std::optional<std::uint64_t> size = parse_size(touch);
    if (!size || *size == 0) {
      return wrong("prefault", touch, "yes, no, or the size of a message such as 64KiB: use one of these");
    }
    residence.message_size = *size;
  }
  return residence;
}

Status make_resident(const Residence& residence, const std::byte* begin, std::size_t size, Access access,
                     std::string_view what) {
  const std::size_t before = reinterpret_cast<std::uintptr_t>(begin) % page;
  void* const start = const_cast<std::byte*>(begin) - before;
  const std::size_t bytes = (size + before + page - 1) / page * page;
  if (residence.touched) {
    while (madvise(start, bytes, access == Access::write ? MADV_POPULATE_WRITE : MADV_POPULATE_READ) != 0) {
      if (errno == EINVAL) {
        return failure(ErrorCode::unsupported,
                       fmt::format("{}: this kernel cannot touch memory in advance: use Linux 5.14 or later, or leave "
                                   "the option prefault away",
                                   what));
      }
      if (errno != EINTR && errno != EAGAIN) {
        return tl::unexpected(system_error(fmt::format("{}: touching {} bytes (prefault)", what, bytes), errno));
      }
    }
  }
  if (residence.locked && mlock(start, bytes) != 0) {
    return tl::unexpected(lock_refused(errno, bytes, what));
  }
  return {};
}

Status make_reserved_resident(const Residence& residence, const File& file, const Mapping& mapping, std::size_t from,
                              std::size_t to, std::string_view what) {
  while (from < to) {
    const off_t data = lseek(file.get(), static_cast<off_t>(from), SEEK_DATA);
    if (data < 0 || static_cast<std::size_t>(data) >= to) {
      break;
    }
    const off_t hole = lseek(file.get(), data, SEEK_HOLE);
    const std::size_t end = hole < 0 ? to : std::min(to, static_cast<std::size_t>(hole));
    const auto begin = static_cast<std::size_t>(data);
    if (Status made = make_resident(residence, mapping.data() + begin, end - begin, Access::read, what); !made) {
      return made;
    }
    from = end;
  }
  return {};
}

}  // namespace weir::shm
