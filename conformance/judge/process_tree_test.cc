// What the watch over a test's memory and processes sees.
#include "conformance/judge/process_tree.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <functional>

#include <gtest/gtest.h>

namespace weir::conformance {
namespace {

constexpr std::size_t much = std::size_t{48} << 20U;

// A child that has done something, and then sleeps until it is killed.
class Child {
 public:
  explicit Child(const std::function<void()>& something) {
    std::array<int, 2> done{};
    if (pipe(done.data()) != 0) return;
    process_ = fork();
    if (process_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      something();
      close(done[0]);
      close(done[1]);
      while (true) pause();
    }
    close(done[1]);
    char ignored = 0;
    EXPECT_EQ(read(done[0], &ignored, 1), 0);  // closed by the child, and by its children if it has any
    close(done[0]);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  [[nodiscard]] pid_t process() const noexcept { return process_; }

 private:
  pid_t process_ = -1;
};

void take(int flags, int descriptor) {
  void* const memory = mmap(nullptr, much, PROT_READ | PROT_WRITE, flags, descriptor, 0);
  if (memory == MAP_FAILED) _exit(1);
  std::memset(memory, 1, much);
}

TEST(ProcessTree, MemoryOfAProcessAloneIsItsOwn) {
  const Child child([] { take(MAP_PRIVATE | MAP_ANONYMOUS, -1); });
  const MemoryInUse memory = memory_of_tree(child.process());
  EXPECT_GE(memory.own, much);
  EXPECT_LT(memory.shared, much);
}

TEST(ProcessTree, SharedMemoryThatHasNoFileIsSeen) {
  const Child child([] {
    const int descriptor = memfd_create("much", MFD_CLOEXEC);
    if (ftruncate(descriptor, much) != 0) _exit(1);
    take(MAP_SHARED, descriptor);
  });
  const MemoryInUse memory = memory_of_tree(child.process());
  EXPECT_GE(memory.shared, much);
  EXPECT_LT(memory.own, much);
}

TEST(ProcessTree, WhatParentAndChildShareIsCountedOnce) {
  const Child child([] {
    const int descriptor = memfd_create("much", MFD_CLOEXEC);
    if (ftruncate(descriptor, much) != 0) _exit(1);
    if (fork() == 0) prctl(PR_SET_PDEATHSIG, SIGKILL);
    take(MAP_SHARED, descriptor);  // both
  });
  EXPECT_EQ(descendants_of(child.process()).size(), 1U);
  const MemoryInUse memory = memory_of_tree(child.process());
  EXPECT_GE(memory.shared, much - 4096);  // each part is rounded down to a kibibyte
  EXPECT_LT(memory.shared, much + much / 2);
}

TEST(ProcessTree, OrphansAreEndedAndCountedOnceEach) {
  constexpr std::size_t count = 5;
  for (std::size_t at = 0; at < count; ++at) {
    if (fork() == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      while (true) pause();
    }
  }
  EXPECT_EQ(end_orphans(), count);
  EXPECT_TRUE(descendants_of(getpid()).empty());
}

}  // namespace
}  // namespace weir::conformance
