// The words of a chunk header that only iceoryx's own sender may write, and what weir's publishers add for weir's
// subscribers: where the stream stood when the newest subscriber joined. It is in the last bytes of the chunk, where
// the message leaves them free, which no iceoryx program looks at; a spare byte of the header says that it is there.
//
// iceoryx opens its chunk header to popo::ChunkSender<T>, for every T: this is the one for weir.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

#include <iceoryx_posh/internal/popo/building_blocks/chunk_sender.hpp>
#include <iceoryx_posh/mepoo/chunk_header.hpp>

namespace weir::iceoryx {
struct ByWeir;
}

template <>
class iox::popo::ChunkSender<weir::iceoryx::ByWeir> {
 public:
  // Before the chunk is delivered to anybody. `joined_at`: the first sample that the newest subscriber receives.
  static void seal(mepoo::ChunkHeader& header, std::uint64_t sequence, std::uint32_t payload_size,
                   std::uint64_t joined_at) noexcept {
    header.m_sequenceNumber = sequence;
    header.m_userPayloadSize = payload_size;
    const bool has_room =
        header.m_userPayloadOffset + std::uint64_t{payload_size} + sizeof(joined_at) <= header.m_chunkSize;
    header.m_reserved = has_room ? signature : 0;
    if (has_room) std::memcpy(end_of(header) - sizeof(joined_at), &joined_at, sizeof(joined_at));
  }

  // Empty for a native publisher, and for a message that fills its chunk.
  [[nodiscard]] static std::optional<std::uint64_t> joined_at(const mepoo::ChunkHeader& header) noexcept {
    if (header.m_reserved != signature) return std::nullopt;
    std::uint64_t joined_at = 0;
    std::memcpy(&joined_at, end_of(header) - sizeof(joined_at), sizeof(joined_at));
    return joined_at;
  }

 private:
  static std::byte* end_of(const mepoo::ChunkHeader& header) noexcept {
    return reinterpret_cast<std::byte*>(const_cast<mepoo::ChunkHeader*>(&header)) + header.m_chunkSize;
  }

  // iceoryx 2.0 writes 0 here and never reads it.
  static constexpr std::uint8_t signature = 0x77;
};

namespace weir::iceoryx {
using ChunkAccess = iox::popo::ChunkSender<ByWeir>;
}
