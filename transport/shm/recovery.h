// What the successor of a durable publisher finds in the ring: recovery is derivation, not repair.
//
// Everything that a publisher knows beside the ring is private to it and died with it: where it was, and which chunks
// are in use. The successor, holding the owner's lock, reads the slots: those that are valid say which samples and
// chunks stand; a slot that was being written is left as it is, and written again with the next sample; every chunk
// that no valid slot names is retired, and used again once no living subscriber pins it. Nothing is written to the
// ring, so a successor may die anywhere and have a successor of its own. (docs/model, m3.)
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "transport/shm/chunk_ref.h"
#include "transport/shm/layout.h"
#include "transport/status.h"

namespace weir::shm {

// A chunk that a valid slot names.
struct KeptChunk {
  ChunkRef chunk;
  std::size_t bytes = 0;  // from its start, in use
};

struct Succession {
  std::uint64_t next = 0;         // the sequence to be published next
  std::uint64_t intact_from = 0;  // all samples from here to the last are valid
  std::vector<KeptChunk> kept;
};

// `memory`: the publisher's option, which bounds its chunk files. Errors: corrupt, when a slot cannot have been written
// by a publisher; `what` begins the message.
[[nodiscard]] Result<Succession> derive_succession(const Slot* slots, std::uint64_t count, std::uint64_t memory,
                                                   std::string_view what);

// After the machine went down under it: retires all samples, so that every subscriber counts what it has lost.
void retire_everything(Slot* slots, std::uint64_t count) noexcept;

}  // namespace weir::shm
