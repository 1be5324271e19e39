// Memory that is there before it is needed: the options `prefault` and `mlock`.
//
//   prefault=no|yes|<size>   yes: what a member has at its join, and what is reserved later, is touched at once, so
//   that
//                            the data path meets no page fault. A size: a publisher reserves and touches besides, at
//                            its join, memory for as many messages of that size as its ring and its loans can hold.
//   mlock=no|yes             the same memory is locked, so that it is not swapped out either.
//
// A publisher's memory: its segment, its chunks as they are reserved, and the topic's page of counters. A subscriber's:
// its segment, that page, the segments of publishers, and their chunks that have memory when it first sees them.
//
// What is not reserved is never touched here: in a tmpfs that would take memory.
#pragma once

#include <cstddef>
#include <string_view>

#include "transport/qos.h"
#include "transport/shm/file.h"
#include "transport/status.h"

namespace weir::shm {

struct Residence {
  bool touched = false;
  bool locked = false;
  std::size_t message_size = 0;  // of the messages for which a publisher reserves memory at its join; 0: none

  [[nodiscard]] bool any() const noexcept { return touched || locked; }
};

// From the options of a member. Errors: invalid_argument, naming the option.
[[nodiscard]] Result<Residence> residence_of(const ExtraOptions& options, std::string_view topic);

// Touches and locks what is mapped at [begin, begin + size), all of it reserved. Errors: resource_exhausted, for mlock
// naming the limit; unsupported for prefault on a kernel before 5.14.
[[nodiscard]] Status make_resident(const Residence& residence, const std::byte* begin, std::size_t size, Access access,
                                   std::string_view what);

// The same for those parts of [from, to) of a file, mapped from its start, that have memory behind them.
[[nodiscard]] Status make_reserved_resident(const Residence& residence, const File& file, const Mapping& mapping,
                                            std::size_t from, std::size_t to, std::string_view what);

}  // namespace weir::shm
