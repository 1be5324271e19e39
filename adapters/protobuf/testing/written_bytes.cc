#include "adapters/protobuf/testing/written_bytes.h"

#include <cstddef>

namespace {
thread_local std::uint64_t written = 0;
}

std::uint64_t weir::protobuf::testing::written_bytes() noexcept { return written; }

// The compiler would make calls of memcpy of these loops.
#pragma GCC optimize("no-tree-loop-distribute-patterns")

extern "C" {

void* memmove(void* to, const void* from, std::size_t size) {
  written += size;
  auto* const target = static_cast<unsigned char*>(to);
  const auto* const source = static_cast<const unsigned char*>(from);
  if (target < source) {
    for (std::size_t index = 0; index < size; ++index) target[index] = source[index];
  } else {
    for (std::size_t index = size; index > 0; --index) target[index - 1] = source[index - 1];
  }
  return to;
}

void* memcpy(void* to, const void* from, std::size_t size) { return memmove(to, from, size); }

void* memset(void* to, int value, std::size_t size) {
  written += size;
  auto* const target = static_cast<unsigned char*>(to);
  for (std::size_t index = 0; index < size; ++index) target[index] = static_cast<unsigned char>(value);
  return to;
}

}  // extern "C"
