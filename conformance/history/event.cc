#include "conformance/history/event.h"

#include <fmt/format.h>

#include "transport/deadline.h"
#include "transport/status.h"

namespace weir::conformance {

std::string_view name_of(EventKind kind) {
  switch (kind) {
    case EventKind::opened_publisher:
      return "opened publisher";
    case EventKind::opened_subscriber:
      return "opened subscriber";
    case EventKind::closed:
      return "closed";
    case EventKind::publishing:
      return "publishing";
    case EventKind::published:
      return "published";
    case EventKind::held_back:
      return "held back";
    case EventKind::dropped:
      return "dropped loan";
    case EventKind::taken:
      return "took";
    case EventKind::released:
      return "releasing";
    case EventKind::waiting:
      return "waiting";
    case EventKind::woke:
      return "woke";
    case EventKind::woke_for_nothing:
      return "woke for nothing";
    case EventKind::subscribers_there:
      return "subscribers there";
    case EventKind::joined:
      return "saw joined";
    case EventKind::left:
      return "saw left";
    case EventKind::died:
      return "saw died";
    case EventKind::listed:
      return "listed";
    case EventKind::failed:
      return "failed";
  }
  return "unknown";
}

namespace {

std::string_view name_of(Wake wake) {
  switch (wake) {
    case Wake::ready:
      return "ready";
    case Wake::deadline:
      return "deadline";
    case Wake::interrupted:
      return "interrupted";
  }
  return "unknown";
}

}  // namespace

std::string to_string(const Event& event) {
  constexpr std::int64_t nanoseconds = 1'000'000'000;
  std::string line = fmt::format("{}.{:09} port {} {}", event.time / nanoseconds, event.time % nanoseconds, event.port,
                                 name_of(event.kind));
  switch (event.kind) {
    case EventKind::publishing:
    case EventKind::published:
    case EventKind::held_back:
    case EventKind::taken:
    case EventKind::released:
      line += fmt::format(" #{} of {:x}, {}+{} bytes", event.sequence, event.peer, event.size, event.header_size);
      if (event.lost_before != 0) line += fmt::format(", {} lost before", event.lost_before);
      if (event.faults != 0) line += fmt::format(", FAULTS {:#x}", event.faults);
      break;
    case EventKind::woke:
      line += fmt::format(": {}", name_of(static_cast<Wake>(event.code)));
      break;
    case EventKind::subscribers_there:
      line += fmt::format(": {}, before #{}", event.size, event.sequence);
      break;
    case EventKind::failed:
      line += fmt::format(": {}", weir::to_string(static_cast<ErrorCode>(event.code)));
      break;
    default:
      line += fmt::format(" {:x}", event.peer);
  }
  return line;
}

}  // namespace weir::conformance
