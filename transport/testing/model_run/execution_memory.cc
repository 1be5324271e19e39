#include "transport/testing/model_run/execution_memory.h"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

namespace weir::testing {
namespace {

constexpr std::size_t heap_bytes = std::size_t{64} << 20U;

// Two stretches of one region: the heap, and the pages of files.
struct Stretch {
  std::byte* begin = nullptr;
  std::size_t size = 0;
  std::size_t used = 0;
};
Stretch heap;
Stretch pages;
bool is_inside = false;

struct Snapshot {
  std::byte* copy = nullptr;
  std::size_t used = 0;
};
Snapshot kept_heap;
Snapshot kept_pages;

[[noreturn]] void out_of_memory(const char* what) {
  std::fprintf(stderr, "one execution needs more %s than the model run has\n", what);
  std::abort();
}

void map(Stretch& stretch, std::size_t size) {
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) out_of_memory("address space");
  stretch.begin = static_cast<std::byte*>(memory);
  stretch.size = size;
}

std::byte* take(Stretch& stretch, std::size_t size, std::size_t alignment, const char* what) {
  const std::size_t begin = (stretch.used + alignment - 1) & ~(alignment - 1);
  if (begin + size > stretch.size) out_of_memory(what);
  stretch.used = begin + size;
  return stretch.begin + begin;
}

void keep(const Stretch& stretch, Snapshot& snapshot) {
  void* const copy = std::realloc(snapshot.copy, stretch.used + 1);
  if (copy == nullptr) out_of_memory("snapshot");
  snapshot.copy = static_cast<std::byte*>(copy);
  snapshot.used = stretch.used;
  std::memcpy(snapshot.copy, stretch.begin, stretch.used);
}

void restore(Stretch& stretch, const Snapshot& snapshot) noexcept {
  std::memcpy(stretch.begin, snapshot.copy, snapshot.used);
  stretch.used = snapshot.used;
}

bool is_in_heap(const void* address) noexcept {
  const auto* place = static_cast<const std::byte*>(address);
  return place >= heap.begin && place < heap.begin + heap.size;
}

void* allocate(std::size_t size, std::size_t alignment) {
  if (is_inside) return take(heap, size, alignment, "heap");
  const std::size_t rounded = (size + alignment) / alignment * alignment;  // never 0
  void* memory = std::aligned_alloc(alignment, rounded);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void release(void* memory) noexcept {
  if (memory != nullptr && !is_in_heap(memory)) std::free(memory);
}

}  // namespace

std::byte* allocate_pages(std::size_t bytes) {
  const std::size_t rounded = (bytes + simulated_page - 1) / simulated_page * simulated_page;
  std::byte* begin = take(pages, rounded, simulated_page, "pages");
  std::memset(begin, 0, rounded);
  return begin;
}

std::size_t place_in_pages(const void* address) noexcept {
  return static_cast<std::size_t>(static_cast<const std::byte*>(address) - pages.begin);
}

void begin_execution() {
  if (heap.begin == nullptr) {
    map(heap, heap_bytes);
    map(pages, shared_bytes);
  }
  heap.used = 0;
  pages.used = 0;
  is_inside = true;
}

void end_execution() noexcept { is_inside = false; }

void keep_snapshot() {
  keep(heap, kept_heap);
  keep(pages, kept_pages);
}

void restore_snapshot() noexcept {
  restore(heap, kept_heap);
  restore(pages, kept_pages);
  is_inside = true;
}

OutsideExecution::OutsideExecution() noexcept : before_(is_inside) { is_inside = false; }
OutsideExecution::~OutsideExecution() { is_inside = before_; }

}  // namespace weir::testing

// NOLINTBEGIN(misc-new-delete-overloads): the arrays' forms call these
void* operator new(std::size_t size) { return weir::testing::allocate(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return weir::testing::allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { weir::testing::release(memory); }
void operator delete(void* memory, std::size_t) noexcept { weir::testing::release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { weir::testing::release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { weir::testing::release(memory); }
// NOLINTEND(misc-new-delete-overloads)
