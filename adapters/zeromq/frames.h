// How the frames of a ZeroMQ message are the user header and the payload of a weir message.
//
//   option frames   the publisher sends                        the subscriber gets
//   payload         one frame: the payload; no user header     of one frame the payload; of others a table
//   topic           two frames: user header, payload           of two frames user header and payload, of one the
//                                                              payload, of others a table
//   table           as many frames as its header's table       of one frame the payload; of others a table
//                   says; one without a header
//
// Table: the payload is all frames, one after the other, and the user header says where each ends: the eight bytes
// `frame_table_mark`, then for each frame its size as 64 bits in the machine's byte order.
//
//   for (auto frame : weir::zeromq::frames_of(sample.header(), sample.payload())) use(frame);
//
// A trailing envelope is no part of this: it is taken off before.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace weir::zeromq {

// No application's topic begins so by chance.
inline constexpr std::array<char, 8> frame_table_mark{'\0', 'w', 'e', 'i', 'r', 't', 'a', 'b'};

// The frames of a message, as views of its payload (and header: a topic is the first frame). A message without a table
// is one frame, or two if it has a header.
[[nodiscard]] std::vector<std::span<const std::byte>> frames_of(std::span<const std::byte> header,
                                                                std::span<const std::byte> payload);

// The sizes in a table; empty if `header` is none. The sum may be anything: compare it with the payload.
[[nodiscard]] std::vector<std::uint64_t> read_frame_table(std::span<const std::byte> header);

// The bytes of a table, to be copied into a loan's header.
[[nodiscard]] std::vector<std::byte> make_frame_table(std::span<const std::uint64_t> sizes);

// The same over a buffer of frame_table_size(frames) bytes.
[[nodiscard]] constexpr std::size_t frame_table_size(std::size_t frames) noexcept {
  return sizeof(frame_table_mark) + frames * sizeof(std::uint64_t);
}
void write_frame_table(std::span<std::byte> table, std::span<const std::uint64_t> sizes) noexcept;

}  // namespace weir::zeromq
