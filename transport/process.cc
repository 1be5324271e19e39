#include "transport/process.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <mutex>
#include <new>

namespace weir::spi {
namespace {

using Word = std::atomic<std::uint64_t>;

constinit Word ordinary_word{0};
// Inherited by children as it stands, unlike the word: the source of the next generation.
constinit std::uint64_t newest_generation = 0;
constinit std::mutex adoption;

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

void adopt_process() noexcept {
  const std::lock_guard<std::mutex> lock(adoption);
  if (newest_generation == 0) {
    internal::process_word = make_word();
  }
  if (process_generation() == 0) {
    internal::process_word->store(++newest_generation, std::memory_order_relaxed);
  }
}

}  // namespace weir::spi
