#include "conformance/harness/message.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "conformance/history/event.h"

namespace weir::conformance {
namespace {

constexpr MessageIdentity identity{.publisher = 77, .number = 12};

struct Bytes {
  Bytes(std::size_t size, std::size_t header_size) : payload(size), header(header_size) {
    write_message(payload, header, identity);
  }
  std::vector<std::byte> payload;
  std::vector<std::byte> header;
};

TEST(Message, IsReadAsItWasWrittenAtEverySize) {
  for (std::size_t size = 0; size < 100; ++size) {
    for (const std::size_t header_size : {0U, 1U, 8U, 33U}) {
      const Bytes bytes(size, header_size);
      EXPECT_EQ(read_message(bytes.payload, bytes.header, identity).faults, 0U) << size;
    }
  }
}

TEST(Message, EveryByteCounts) {
  for (const std::size_t size : {1U, 7U, 8U, 23U, 24U, 25U, 100U}) {
    for (std::size_t at = 0; at < size; ++at) {
      Bytes bytes(size, 5);
      bytes.payload[at] ^= std::byte{1};
      EXPECT_NE(read_message(bytes.payload, bytes.header, identity).faults, 0U) << size << " at " << at;
    }
  }
  for (std::size_t at = 0; at < 9; ++at) {
    Bytes bytes(8, 9);
    bytes.header[at] ^= std::byte{0x80};
    EXPECT_EQ(read_message(bytes.payload, bytes.header, identity).faults, std::uint32_t{header_fault}) << at;
  }
}

TEST(Message, AnyOtherMessageInItsPlaceShows) {
  for (const std::size_t size : {8U, 24U, 4096U}) {
    const Bytes bytes(size, 8);
    EXPECT_NE(read_message(bytes.payload, bytes.header, {77, 13}).faults, 0U) << size;
    EXPECT_NE(read_message(bytes.payload, bytes.header, {78, 12}).faults, 0U) << size;
  }
  const Bytes large(4096, 0);
  EXPECT_NE(read_message(large.payload, {}, {77, 13}).faults & number_fault, 0U);
  EXPECT_NE(read_message(large.payload, {}, {78, 12}).faults & origin_fault, 0U);
}

TEST(Message, ATornMessageShows) {
  Bytes bytes(4096, 0);
  std::vector<std::byte> other(4096);
  write_message(other, {}, {77, 13});
  std::copy(other.begin() + 2048, other.end(), bytes.payload.begin() + 2048);
  EXPECT_EQ(read_message(bytes.payload, bytes.header, identity).faults, std::uint32_t{payload_fault});
}

TEST(Message, AMissingOrShorterHeaderShows) {
  const Bytes bytes(64, 16);
  EXPECT_NE(read_message(bytes.payload, {}, identity).faults, 0U);
  EXPECT_NE(read_message(bytes.payload, std::span(bytes.header).first(15), identity).faults, 0U);
}

TEST(Message, LargerOnesSayWhoseTheyAre) {
  const Bytes bytes(stamp_size, 0);
  const MessageReading reading = read_message(bytes.payload, bytes.header, {});
  EXPECT_EQ(reading.identity, identity);
  EXPECT_EQ(reading.faults, 0U);
}

TEST(MixedSizes, CoverTheRangeAndAreReproducible) {
  std::vector<bool> seen(10);
  for (std::uint64_t number = 0; number < 1000; ++number) {
    const std::uint64_t size = mixed_size(number, 5, 14);
    ASSERT_GE(size, 5U);
    ASSERT_LE(size, 14U);
    EXPECT_EQ(size, mixed_size(number, 5, 14));
    seen[size - 5] = true;
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), true), 10);
  EXPECT_EQ(mixed_size(3, 64, 0), 64U);
}

}  // namespace
}  // namespace weir::conformance
