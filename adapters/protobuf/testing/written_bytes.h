// How many bytes this process has written through memcpy, memmove and memset, its libraries included: who links this
// has its own versions of them, which count.
#pragma once

#include <cstdint>

namespace weir::protobuf::testing {

[[nodiscard]] std::uint64_t written_bytes() noexcept;  // by the calling thread

}  // namespace weir::protobuf::testing
