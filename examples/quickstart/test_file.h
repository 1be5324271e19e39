// Files for tests.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "examples/quickstart/source.h"

namespace quickstart {

// Bytes without a pattern, the same for the same seed.
inline std::vector<std::byte> noise(std::size_t size, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) {
    byte = static_cast<std::byte>(random());
  }
  return bytes;
}

// An unnamed file with these bytes.
inline Source file_of(const std::vector<std::byte>& bytes) {
  const int file = memfd_create("test", MFD_CLOEXEC);
  EXPECT_EQ(write(file, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  return Source::inherit(file).value();
}

}  // namespace quickstart
