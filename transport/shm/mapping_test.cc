#include <sys/mman.h>

#include <cstddef>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transport/shm/file.h"
#include "transport/shm/test_processes.h"

namespace weir::shm {
namespace {

using ::testing::HasSubstr;
using ::weir::shm::testing::Child;
using ::weir::shm::testing::TemporaryRoot;

TEST(Mapping, IsSharedBetweenProcesses) {
  const TemporaryRoot root;
  const auto file = make_unnamed(root.descriptor(), 1, "making");
  ASSERT_TRUE(file);
  const auto writable = Mapping::of(*file, 1, Access::write, Fork::keeps, "mapping");
  const auto readable = Mapping::of(*file, 1, Access::read, Fork::loses, "mapping");
  ASSERT_TRUE(writable && readable);
  Child writer([&] {
    writable->data()[0] = std::byte{42};
    return true;
  });
  ASSERT_TRUE(writer.succeeded());
  EXPECT_EQ(readable->data()[0], std::byte{42});
}

TEST(Mapping, ShortageIsAnError) {
  const TemporaryRoot root;
  const auto file = make_unnamed(root.descriptor(), 1, "making");
  ASSERT_TRUE(file);
  const auto mapping = Mapping::of(*file, std::size_t{1} << 60U, Access::read, Fork::keeps, "topic \"x\": mapping");
  ASSERT_FALSE(mapping);
  EXPECT_EQ(mapping.error().code(), ErrorCode::resource_exhausted);
  EXPECT_THAT(mapping.error().message(), HasSubstr("topic \"x\""));
}

TEST(Mapping, ThatAForkLosesIsNotUnmappedOverWhatTheChildHasThere) {
  const TemporaryRoot root;
  const auto file = make_unnamed(root.descriptor(), 4096, "making");
  ASSERT_TRUE(file);
  auto kept = Mapping::of(*file, 4096, Access::read, Fork::keeps, "mapping");
  auto lost = Mapping::of(*file, 4096, Access::read, Fork::loses, "mapping");
  ASSERT_TRUE(kept && lost);
  Child child([&] {
    std::byte* const place = lost->data();
    // Fails if the fork has kept the mapping after all.
    void* reused = mmap(place, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    EXPECT_EQ(reused, place);
    *lost = Mapping();
    *kept = Mapping();
    EXPECT_EQ(msync(place, 4096, MS_ASYNC), 0) << "the child's own memory was unmapped";
    return true;
  });
  EXPECT_TRUE(child.succeeded());
  EXPECT_EQ(lost->data()[0], std::byte{0});
  std::byte* const place = lost->data();
  *lost = Mapping();
  EXPECT_NE(msync(place, 4096, MS_ASYNC), 0) << "the owner's mapping was not unmapped";
}

}  // namespace
}  // namespace weir::shm
