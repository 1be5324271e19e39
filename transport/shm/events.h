// What the transport tells the log (transport/log.h): one function for each event, with its sentence.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "transport/membership.h"
#include "transport/shm/names.h"
#include "transport/status.h"

namespace weir::shm {

// A peer that had joined is found to have ended without leaving. Every observer tells it for itself.
void tell_death(std::string_view topic, const Peer& peer) noexcept;

// A peer whose segment fails its checks takes no part.
void tell_left_out(std::string_view topic, const Error& error) noexcept;

// A durable publisher returned, and does not trust what lies in its segment.
void tell_untrusted(std::string_view topic, std::string_view publisher) noexcept;

// A janitor removed the segment of a process that died. The topic's name is read from its directory.
void tell_removed(int topic_directory, SegmentName segment) noexcept;

// A janitor removed a topic that the dead left. `topic` is what topic_in() found before.
void tell_swept(std::string_view topic) noexcept;

// The full name of a topic, from its directory; empty if it cannot be read, or if nobody wants to know.
[[nodiscard]] std::string topic_in(int topic_directory) noexcept;

}  // namespace weir::shm
