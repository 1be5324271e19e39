// A message's memory that is weir's own instead of libzmq's: for alignments that libzmq does not give, and for large
// messages, so that they count against the publisher's option `memory` until libzmq has sent and freed them.
//
//   Block* block = Block::make(size, alignment, budget);
//   zmq_msg_init_data(&message, block->payload(), size, Block::release_hint, block->share());
//   block->release();                     // the memory goes with the last reference
//
// Thread-safe but for make(), which the publisher's thread calls.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace weir::zeromq {

// Bytes of all blocks of one publisher. Blocks may outlive it.
using Budget = std::atomic<std::uint64_t>;

class Block {
 public:
  // Null if memory is short.
  [[nodiscard]] static Block* make(std::size_t size, std::size_t alignment, const std::shared_ptr<Budget>& budget) {
    const std::size_t before = (sizeof(Block) + alignment - 1) / alignment * alignment;
    const std::size_t rounded = (before + size + alignment - 1) / alignment * alignment;
    if (rounded < size) return nullptr;
    void* memory = std::aligned_alloc(alignment, rounded);
    if (memory == nullptr) return nullptr;
    budget->fetch_add(size, std::memory_order_relaxed);
    return new (memory) Block(size, before, budget);
  }

  [[nodiscard]] std::byte* payload() noexcept { return reinterpret_cast<std::byte*>(this) + before_; }

  // One more reference; returns the block.
  [[nodiscard]] Block* share() noexcept {
    references_.fetch_add(1, std::memory_order_relaxed);
    return this;
  }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    budget_->fetch_sub(size_, std::memory_order_relaxed);
    this->~Block();
    std::free(this);
  }
  // release() as libzmq calls it, on any of its threads.
  static void release_hint(void* /*payload*/, void* block) noexcept { static_cast<Block*>(block)->release(); }

 private:
  Block(std::size_t size, std::size_t before, std::shared_ptr<Budget> budget)
      : size_(size), before_(before), budget_(std::move(budget)) {}
  ~Block() = default;

  std::atomic<std::uint32_t> references_{1};
  const std::size_t size_;
  const std::size_t before_;  // bytes between the block's begin and its payload
  const std::shared_ptr<Budget> budget_;
};

}  // namespace weir::zeromq
