// The calls by which the shared-memory transport changes what the kernel keeps, each with a point (points.h) before it.
// The linker leads calls of `open` here (--wrap=open), and `__real_open` to the library.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdarg>

#include "transport/testing/points.h"

using weir::testing::point;

// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker's names
extern "C" {

int __real_open(const char* path, int flags, mode_t mode);
int __wrap_open(const char* path, int flags, mode_t mode) {
  point("open");
  return __real_open(path, flags, mode);
}

int __real_openat(int directory, const char* path, int flags, mode_t mode);
int __wrap_openat(int directory, const char* path, int flags, mode_t mode) {
  point("openat");
  return __real_openat(directory, path, flags, mode);
}

int __real_close(int descriptor);
int __wrap_close(int descriptor) {
  point("close");
  return __real_close(descriptor);
}

int __real_linkat(int from, const char* old_path, int to, const char* new_path, int flags);
int __wrap_linkat(int from, const char* old_path, int to, const char* new_path, int flags) {
  point("linkat");
  return __real_linkat(from, old_path, to, new_path, flags);
}

int __real_unlinkat(int directory, const char* path, int flags);
int __wrap_unlinkat(int directory, const char* path, int flags) {
  point("unlinkat");
  return __real_unlinkat(directory, path, flags);
}

int __real_mkdirat(int directory, const char* path, mode_t mode);
int __wrap_mkdirat(int directory, const char* path, mode_t mode) {
  point("mkdirat");
  return __real_mkdirat(directory, path, mode);
}

int __real_mkfifoat(int directory, const char* path, mode_t mode);
int __wrap_mkfifoat(int directory, const char* path, mode_t mode) {
  point("mkfifoat");
  return __real_mkfifoat(directory, path, mode);
}

int __real_fcntl(int descriptor, int command, void* argument);
int __wrap_fcntl(int descriptor, int command, void* argument) {
  point("fcntl");
  return __real_fcntl(descriptor, command, argument);
}

int __real_ftruncate(int descriptor, off_t size);
int __wrap_ftruncate(int descriptor, off_t size) {
  point("ftruncate");
  return __real_ftruncate(descriptor, size);
}

int __real_fallocate(int descriptor, int mode, off_t offset, off_t size);
int __wrap_fallocate(int descriptor, int mode, off_t offset, off_t size) {
  point("fallocate");
  return __real_fallocate(descriptor, mode, offset, size);
}

ssize_t __real_pwrite(int descriptor, const void* data, size_t size, off_t offset);
ssize_t __wrap_pwrite(int descriptor, const void* data, size_t size, off_t offset) {
  point("pwrite");
  return __real_pwrite(descriptor, data, size, offset);
}

ssize_t __real_write(int descriptor, const void* data, size_t size);
ssize_t __wrap_write(int descriptor, const void* data, size_t size) {
  point("write");
  return __real_write(descriptor, data, size);
}

void* __real_mmap(void* address, size_t size, int protection, int flags, int descriptor, off_t offset);
void* __wrap_mmap(void* address, size_t size, int protection, int flags, int descriptor, off_t offset) {
  point("mmap");
  return __real_mmap(address, size, protection, flags, descriptor, offset);
}

int __real_munmap(void* address, size_t size);
int __wrap_munmap(void* address, size_t size) {
  point("munmap");
  return __real_munmap(address, size);
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
