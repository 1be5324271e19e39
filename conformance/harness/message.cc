#include "conformance/harness/message.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "conformance/history/event.h"

namespace weir::conformance {
namespace {

constexpr std::size_t word_size = sizeof(std::uint64_t);
constexpr std::uint64_t step = 0x9e37'79b9'7f4a'7c15;
constexpr std::uint64_t header_salt = 0x6865'6164'6572;

// The finaliser of SplitMix64: every bit of the result depends on every bit of the value.
std::uint64_t scrambled(std::uint64_t value) {
  value = (value ^ (value >> 30U)) * 0xbf58'476d'1ce4'e5b9;
  value = (value ^ (value >> 27U)) * 0x94d0'49bb'1331'11eb;
  return value ^ (value >> 31U);
}

std::uint64_t seed_of(MessageIdentity identity, std::size_t payload_size, std::size_t header_size) {
  std::uint64_t seed = scrambled(identity.publisher);
  for (const std::uint64_t part : {identity.number, std::uint64_t{payload_size}, std::uint64_t{header_size}}) {
    seed = scrambled(seed ^ (part + step));
  }
  return seed;
}

void fill(std::span<std::byte> bytes, std::uint64_t seed) {
  for (; !bytes.empty(); seed += step) {
    const std::size_t count = std::min(word_size, bytes.size());
    std::memcpy(bytes.data(), &seed, count);
    bytes = bytes.subspan(count);
  }
}

bool filled(std::span<const std::byte> bytes, std::uint64_t seed) {
  std::uint64_t different = 0;
  for (; !bytes.empty(); seed += step) {
    const std::size_t count = std::min(word_size, bytes.size());
    std::uint64_t word = seed;
    std::memcpy(&word, bytes.data(), count);
    different |= word ^ seed;
    bytes = bytes.subspan(count);
  }
  return different == 0;
}

}  // namespace

void write_message(std::span<std::byte> payload, std::span<std::byte> header, MessageIdentity identity) {
  const std::uint64_t seed = seed_of(identity, payload.size(), header.size());
  fill(header, scrambled(seed ^ header_salt));
  fill(payload, seed);
  if (payload.size() >= stamp_size) {
    const std::array<std::uint64_t, 2> stamp{identity.publisher, identity.number};
    std::memcpy(payload.data(), stamp.data(), sizeof(stamp));
  }
}

MessageReading read_message(std::span<const std::byte> payload, std::span<const std::byte> header,
                            MessageIdentity stated) {
  MessageReading reading{.identity = stated};
  std::span<const std::byte> rest = payload;
  std::uint64_t skipped = 0;
  if (payload.size() >= stamp_size) {
    std::array<std::uint64_t, 2> stamp{};
    std::memcpy(stamp.data(), payload.data(), sizeof(stamp));
    if (stated.publisher == 0) reading.identity.publisher = stamp[0];
    if (stated.number == weir::spi::no_sequence) reading.identity.number = stamp[1];
    if (reading.identity.publisher != stamp[0]) reading.faults |= origin_fault;
    if (reading.identity.number != stamp[1]) reading.faults |= number_fault;
    rest = payload.subspan(sizeof(stamp));
    skipped = stamp.size();
  }
  // What neither the sample nor the payload names cannot be compared with anything.
  if (reading.identity.publisher == 0 || reading.identity.number == weir::spi::no_sequence) return reading;
  const std::uint64_t seed = seed_of(reading.identity, payload.size(), header.size());
  if (!filled(rest, seed + skipped * step)) reading.faults |= payload_fault;
  if (!filled(header, scrambled(seed ^ header_salt))) reading.faults |= header_fault;
  return reading;
}

std::uint64_t mixed_size(std::uint64_t number, std::uint64_t least, std::uint64_t most) {
  return least >= most ? least : least + scrambled(number + step) % (most - least + 1);
}

}  // namespace weir::conformance
