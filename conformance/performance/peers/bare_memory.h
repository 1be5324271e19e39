// A buffer that two processes share, and a cache line each way that says whose
// turn it is: what a message of any size costs without a queue. In place:
// filled where it is read. Copied: filled in memory of the sender's own and
// copied into the buffer once, as the least that a transport that copies can
// do.
#pragma once

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "conformance/performance/failure.h"
#include "conformance/performance/peers/cache_line.h"
#include "conformance/performance/peers/peer.h"

namespace weir::performance {

class BareMemory {
 public:
  enum class Way : std::uint8_t { in_place, copied };
  BareMemory(const Task& task, Way way)
      : size_(task.message.size),
        way_(way),
        turns_(CacheLine::Lines::one_each_way),
        buffers_(map(2 * size_), {2 * size_}) {}

  class Sender {
   public:
    Sender(CacheLine::Sender turn, std::byte* buffer, std::size_t size, Way way)
        : turn_(turn), buffer_(buffer), own_(way == Way::copied ? size : 0) {}
    void await_receivers(std::uint64_t /*count*/) const noexcept {}
    template <class Fill>
    bool try_send(std::size_t size, Fill fill) {
      if (own_.empty()) {
        fill(std::span(buffer_, size));
      } else {
        fill(std::span(own_));
        std::memcpy(buffer_, own_.data(), size);
      }
      return turn_.try_send(0, [](auto /*nothing*/) {});
    }

   private:
    CacheLine::Sender turn_;
    std::byte* buffer_;
    std::vector<std::byte> own_;
  };

  class Receiver {
   public:
    Receiver(CacheLine::Receiver turn, const std::byte* buffer, std::size_t size)
        : turn_(turn), payload_(buffer, size) {}
    void wait() const noexcept {}
    template <class Use>
    bool try_receive(Use use) {
      return turn_.try_receive([&](auto /*nothing*/) { use(payload_); });
    }

   private:
    CacheLine::Receiver turn_;
    std::span<const std::byte> payload_;
  };

  [[nodiscard]] Sender sender(Lane lane) const { return {turns_.sender(lane), buffer(lane), size_, way_}; }
  [[nodiscard]] Receiver receiver(Lane lane) const { return {turns_.receiver(lane), buffer(lane), size_}; }

 private:
  struct Unmap {
    std::size_t size;
    void operator()(std::byte* memory) const noexcept { munmap(memory, size); }
  };
  static std::byte* map(std::size_t size) {
    void* const memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) {
      fail(std::string("mapping memory for two processes: ") + std::strerror(errno));
    }
    return static_cast<std::byte*>(memory);
  }
  [[nodiscard]] std::byte* buffer(Lane lane) const noexcept {
    return buffers_.get() + (lane.direction == Direction::there ? 0 : size_);
  }

  std::size_t size_;
  Way way_;
  CacheLine turns_;
  std::unique_ptr<std::byte, Unmap> buffers_;
};

static_assert(Carrier<BareMemory>);

}  // namespace weir::performance
