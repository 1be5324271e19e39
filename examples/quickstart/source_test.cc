#include "examples/quickstart/source.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "examples/quickstart/crc32.h"
#include "examples/quickstart/test_file.h"

namespace quickstart {
namespace {

TEST(Source, ReadsWhatTheFileHas) {
  const std::vector<std::byte> bytes = noise(5000);
  const Source file = file_of(bytes);
  EXPECT_EQ(file.size(), 5000U);
  std::vector<std::byte> part(100);
  ASSERT_TRUE(file.read(4900, part));
  EXPECT_TRUE(std::equal(part.begin(), part.end(), bytes.begin() + 4900));
}

TEST(Source, ItsChecksumIsThatOfAllItsBytes) {
  const std::vector<std::byte> bytes = noise(2'500'000);  // more than is read at once
  EXPECT_EQ(file_of(bytes).checksum(), crc32(bytes));
}

TEST(Source, AFileThatBecameShorterIsAnError) {
  const Source file = file_of(noise(5000));
  ASSERT_EQ(ftruncate(file.descriptor(), 4950), 0);
  std::vector<std::byte> part(100);
  const weir::Status read = file.read(4900, part);
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message().find("4950"), std::string::npos) << read.error().message();
}

TEST(Source, GatheredBytesAreTheSameEachTimeAndCannotBeChanged) {
  const auto first = Source::gather(3'000'000);
  const auto second = Source::gather(3'000'000);
  ASSERT_TRUE(first && second);
  ASSERT_EQ(first->size(), 3'000'000U);
  ASSERT_EQ(second->size(), 3'000'000U);
  std::vector<std::byte> one(first->size());
  std::vector<std::byte> other(first->size());
  ASSERT_TRUE(first->read(0, one) && second->read(0, other));
  EXPECT_TRUE(one == other);
  EXPECT_LT(write(first->descriptor(), "x", 1), 0);
  EXPECT_NE(ftruncate(first->descriptor(), 1), 0);
}

TEST(Source, WhatIsNoFileIsRefusedByName) {
  for (const char* path : {"/nonexistent/file", "/", "/dev/null"}) {
    const auto source = Source::open(path);
    ASSERT_FALSE(source) << path;
    EXPECT_NE(source.error().message().find(path), std::string::npos) << source.error().message();
  }
}

TEST(Source, AFileTooSmallToCutIsRefused) {
  const int file = memfd_create("test", MFD_CLOEXEC);
  ASSERT_EQ(ftruncate(file, 1023), 0);
  EXPECT_FALSE(Source::inherit(file));
}

}  // namespace
}  // namespace quickstart
