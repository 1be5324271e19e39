// A stack of its own to run a function on, left and entered again at will, or abandoned for good.
#pragma once

#include <ucontext.h>

#include <cstddef>
#include <cstdint>

namespace weir::testing {

class Fiber {
 public:
  using Entry = void (*)();

  Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  ~Fiber() = default;  // the stack stays: there are a few fibers, for as long as the program lives

  // The next resume() begins `entry`, which must not return. Whatever was on the stack is forgotten.
  void begin(Entry entry);
  // Leaves `from` and goes on here.
  void resume_from(ucontext_t& from) { swapcontext(&from, &context_); }
  [[nodiscard]] ucontext_t& context() noexcept { return context_; }

 private:
  static constexpr std::size_t stack_bytes = std::size_t{256} << 10U;
  std::byte* stack_;
  ucontext_t context_{};
};

}  // namespace weir::testing
