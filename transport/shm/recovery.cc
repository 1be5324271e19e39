#include "transport/shm/recovery.h"

#include <algorithm>

#include <fmt/format.h>

#include "transport/shm/ring.h"

namespace weir::shm {
namespace {

// Whether a slot is about a sample; false for one that was never written or is not in its place.
bool is_about(std::uint64_t word, std::uint64_t index, std::uint64_t count) noexcept {
  return word % 4 != 0 && word / 4 < RingReader::beyond_all && word / 4 % count == index;
}

std::uint64_t next_after(std::uint64_t word) noexcept {
  const std::uint64_t sequence = word / 4;
  return word == writing_mark(sequence) ? sequence : sequence + 1;
}

}  // namespace

Result<Succession> derive_succession(const Slot* slots, std::uint64_t count, std::uint64_t memory,
                                     std::string_view what) {
  Succession succession;
  const auto corrupt = [what](std::uint64_t index, std::string_view fault) {
    return failure(ErrorCode::corrupt,
                   fmt::format("{}: slot {} {}: it has been overwritten; remove the topic", what, index, fault));
  };
  for (std::uint64_t index = 0; index < count; ++index) {
    const std::uint64_t word = slots[index].word.load(std::memory_order_seq_cst);
    if (word == 0) {
      continue;
    }
    if (!is_about(word, index, count)) {
      return corrupt(index, "holds a sample of another");
    }
    succession.next = std::max(succession.next, next_after(word));
    if (word != valid_mark(word / 4)) {
      continue;
    }
    const Descriptor sample = RingReader(slots, count).read(word / 4);
    // The writer takes the whole word later, not only what a reader takes of it.
    if (slots[index].chunk.load(std::memory_order_relaxed) != sample.chunk.value()) {
      return corrupt(index, "names an impossible chunk");
    }
    if (sample.is_carried()) {
      continue;
    }
    const ChunkRef chunk = sample.chunk;
    const bool fits = chunk && chunk.size_class() < class_count &&
                      chunk.offset() % class_size(chunk.size_class()) == 0 &&
                      chunk.offset() < class_window(chunk.size_class(), memory) &&
                      sample.payload_offset <= class_size(chunk.size_class()) &&
                      sample.size <= class_size(chunk.size_class()) - sample.payload_offset;
    if (!fits) {
      return corrupt(index, "names an impossible chunk");
    }
    succession.kept.push_back({.chunk = chunk, .bytes = std::max<std::size_t>(1, sample.payload_offset + sample.size)});
  }
  succession.intact_from = succession.next;
  while (succession.intact_from > 0 && succession.next - succession.intact_from < count &&
         slots[(succession.intact_from - 1) % count].word.load(std::memory_order_relaxed) ==
             valid_mark(succession.intact_from - 1)) {
    --succession.intact_from;
  }
  std::sort(succession.kept.begin(), succession.kept.end(),
            [](const KeptChunk& left, const KeptChunk& right) { return left.chunk.value() < right.chunk.value(); });
  const auto twice = std::adjacent_find(succession.kept.begin(), succession.kept.end(),
                                        [](const auto& left, const auto& right) { return left.chunk == right.chunk; });
  if (twice != succession.kept.end()) {
    return corrupt(0, "or another names a chunk twice");
  }
  return succession;
}

void retire_everything(Slot* slots, std::uint64_t count) noexcept {
  std::uint64_t next = 0;
  for (std::uint64_t index = 0; index < count; ++index) {
    const std::uint64_t word = slots[index].word.load(std::memory_order_relaxed);
    next = is_about(word, index, count) ? std::max(next, next_after(word)) : next;
  }
  for (std::uint64_t sequence = next - std::min(next, count); sequence < next; ++sequence) {
    slots[sequence % count].word.store(retired_mark(sequence), std::memory_order_seq_cst);
  }
  for (std::uint64_t index = next; index < count; ++index) {
    slots[index].word.store(0, std::memory_order_seq_cst);
  }
}

}  // namespace weir::shm
