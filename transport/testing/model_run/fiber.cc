#include "transport/testing/model_run/fiber.h"

#include <sys/mman.h>

#include <cstdlib>

namespace weir::testing {

Fiber::Fiber() {
  void* stack = mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) std::abort();
  stack_ = static_cast<std::byte*>(stack);
}

void Fiber::begin(Entry entry) {
  getcontext(&context_);
  context_.uc_stack.ss_sp = stack_;
  context_.uc_stack.ss_size = stack_bytes;
  context_.uc_link = nullptr;
  makecontext(&context_, entry, 0);
}

}  // namespace weir::testing
