#include "transport/process.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <new>

namespace weir::spi {
namespace {

using Word = std::atomic<std::uint64_t>;

constinit Word ordinary_word{0};
// Inherited by children as it stands, unlike the word: the source of the next generation.
constinit std::atomic<std::uint64_t> newest_generation{0};

void forget_generation() noexcept { internal::process_word->store(0, std::memory_order_relaxed); }

// A word on a page that forks find wiped; on kernels before 4.14 one that at least fork() clears.
Word* make_word() noexcept {
  const auto page_size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* page = mmap(nullptr, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED || madvise(page, page_size, MADV_WIPEONFORK) != 0) {
    pthread_atfork(nullptr, nullptr, forget_generation);
    return &ordinary_word;
  }
  return new (page) Word(0);
}

}  // namespace

constinit Word* internal::process_word = &ordinary_word;

namespace {
// Before all static objects, and without a lock here and below: a child that is forked while another thread holds one
// would wait for it forever.
[[gnu::constructor(101)]] void place_word() noexcept { internal::process_word = make_word(); }
}  // namespace

void adopt_process() noexcept {
  std::uint64_t none = 0;
  if (process_generation() == none) {
    const std::uint64_t next = newest_generation.fetch_add(1, std::memory_order_relaxed) + 1;
    internal::process_word->compare_exchange_strong(none, next, std::memory_order_relaxed);
  }
}

}  // namespace weir::spi
