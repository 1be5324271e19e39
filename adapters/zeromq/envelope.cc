#include "adapters/zeromq/envelope.h"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <bit>
#include <chrono>
#include <cstring>

namespace weir::zeromq {
namespace {

constexpr std::uint32_t mark = 0x72696577;  // "weir"
constexpr std::byte version{1};

constexpr std::size_t version_at = 4;
constexpr std::size_t publisher_at = 5;
constexpr std::size_t sequence_at = 13;
constexpr std::size_t time_at = 21;
constexpr std::size_t clock_at = 29;

template <class Integer>
Integer little_endian(Integer value) noexcept {
  if constexpr (std::endian::native == std::endian::big) {
    Integer swapped = 0;
    for (std::size_t byte = 0; byte < sizeof(Integer); ++byte) {
      swapped = static_cast<Integer>(swapped << 8U) | static_cast<Integer>((value >> (8U * byte)) & 0xffU);
    }
    return swapped;
  }
  return value;
}

template <class Integer>
void put(std::span<std::byte, envelope_size> frame, std::size_t at, Integer value) noexcept {
  value = little_endian(value);
  std::memcpy(frame.data() + at, &value, sizeof(value));
}

template <class Integer>
Integer get(std::span<const std::byte> frame, std::size_t at) noexcept {
  Integer value{};
  std::memcpy(&value, frame.data() + at, sizeof(value));
  return little_endian(value);
}

}  // namespace

void write_envelope(std::span<std::byte, envelope_size> frame, const Envelope& envelope) noexcept {
  put(frame, 0, mark);
  frame[version_at] = version;
  put(frame, publisher_at, envelope.publisher);
  put(frame, sequence_at, envelope.sequence);
  put(frame, time_at, envelope.time);
  put(frame, clock_at, envelope.clock);
}

std::optional<Envelope> read_envelope(std::span<const std::byte> frame) noexcept {
  if (frame.size() != envelope_size || get<std::uint32_t>(frame, 0) != mark || frame[version_at] != version) {
    return std::nullopt;
  }
  return Envelope{.publisher = get<std::uint64_t>(frame, publisher_at),
                  .sequence = get<std::uint64_t>(frame, sequence_at),
                  .time = get<std::uint64_t>(frame, time_at),
                  .clock = get<std::uint32_t>(frame, clock_at)};
}

std::uint32_t this_clock() noexcept {
  static const std::uint32_t clock = [] {
    std::array<char, 64> boot_id{};
    const int file = ::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    const ssize_t size = file < 0 ? -1 : ::read(file, boot_id.data(), boot_id.size());
    if (file >= 0) ::close(file);
    std::uint32_t hash = 2'166'136'261;  // FNV-1a
    for (ssize_t at = 0; at < size; ++at) {
      hash = (hash ^ static_cast<unsigned char>(boot_id.at(static_cast<std::size_t>(at)))) * 16'777'619U;
    }
    return size > 0 ? hash : 0;
  }();
  return clock;
}

std::uint64_t make_peer_id() noexcept {
  std::uint64_t id = 0;
  while (id == 0) {
    if (getrandom(&id, sizeof(id), 0) != sizeof(id)) {
      // Only on kernels without getrandom(2) or before they have entropy.
      id = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()) ^
           (static_cast<std::uint64_t>(getpid()) << 32U);
    }
  }
  return id;
}

}  // namespace weir::zeromq
