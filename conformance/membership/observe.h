// What the test itself, as a member of a topic, is told about the others.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "conformance/harness/failure.h"
#include "transport/membership.h"
#include "transport/publisher.h"
#include "transport/subscriber.h"

namespace weir::conformance {

// The events there are now, for a Publisher or a Subscriber.
template <class Handle>
[[nodiscard]] std::vector<MembershipEvent> events_of(Handle& handle) {
  std::vector<MembershipEvent> events;
  while (std::optional<MembershipEvent> event = must(handle.next_event(), "next_event")) events.push_back(*event);
  return events;
}

// "joined subscriber 5 \"name\"": for comparison, and for people.
[[nodiscard]] inline std::string to_string(Change change, Role role, PeerId id, const std::string& name) {
  return fmt::format("{} {} {:x} \"{}\"", weir::to_string(change), weir::to_string(role), id, name);
}

[[nodiscard]] inline std::vector<std::string> to_strings(const std::vector<MembershipEvent>& events) {
  std::vector<std::string> texts;
  for (const MembershipEvent& event : events) {
    texts.push_back(to_string(event.change, event.peer.role, event.peer.id, event.peer.name));
  }
  return texts;
}

}  // namespace weir::conformance
