// Memory that the parent maps and both processes of a measurement inherit.
#pragma once

#include <sys/mman.h>

#include <cerrno>
#include <memory>
#include <new>
#include <system_error>
#include <type_traits>
#include <utility>

namespace weir::performance {

// One zero-initialised T at the same address in this process and its forked
// children. Movable: the T stays where it is. Throws std::system_error when
// memory is short.
template <class T>
class SharedMemory {
  static_assert(std::is_trivially_destructible_v<T>, "nobody can tell which process is the last user");

 public:
  SharedMemory() : object_(new(map()) T()) {}

  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_.get(); }

 private:
  struct Unmap {
    void operator()(T* object) const noexcept { munmap(object, sizeof(T)); }
  };

  static void* map() {
    void* memory = mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) {
      throw std::system_error(errno, std::generic_category(), "mapping memory for two processes");
    }
    return memory;
  }

  std::unique_ptr<T, Unmap> object_;
};

}  // namespace weir::performance
