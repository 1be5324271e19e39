#include "conformance/history/check.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace weir::conformance {
namespace {

template <class Wanted>
std::vector<Event> filtered(Events events, Wanted wanted) {
  std::vector<Event> found;
  std::copy_if(events.begin(), events.end(), std::back_inserter(found), wanted);
  return found;
}

// Runs `judge` over the samples taken from each publisher. Samples that neither say nor state whose they are (publisher
// 0) cannot be told apart.
template <class Judge>
Violations for_each_publisher(Events subscriber, Judge judge) {
  Violations violations;
  for (const PeerId publisher : publishers_of(subscriber)) {
    if (publisher == 0) continue;
    append(violations, judge(publisher, taken_from(subscriber, publisher)));
  }
  return violations;
}

}  // namespace

std::vector<Event> of_port(Events events, std::uint16_t port) {
  return filtered(events, [=](const Event& event) { return event.port == port; });
}

std::vector<Event> of_kind(Events events, EventKind kind) {
  return filtered(events, [=](const Event& event) { return event.kind == kind; });
}

std::vector<Event> taken_from(Events events, PeerId publisher) {
  return filtered(events,
                  [=](const Event& event) { return event.kind == EventKind::taken && event.peer == publisher; });
}

std::vector<PeerId> publishers_of(Events events) {
  std::vector<PeerId> publishers;
  for (const Event& event : events) {
    if (event.kind == EventKind::taken &&
        std::find(publishers.begin(), publishers.end(), event.peer) == publishers.end()) {
      publishers.push_back(event.peer);
    }
  }
  return publishers;
}

Violations check_order(Events subscriber) {
  return for_each_publisher(subscriber, [](PeerId publisher, const std::vector<Event>& taken) {
    Violations violations;
    for (std::size_t at = 1; at < taken.size(); ++at) {
      const std::uint64_t before = taken[at - 1].sequence;
      const std::uint64_t now = taken[at].sequence;
      if (now == before) violations.push_back(fmt::format("#{} of {:x} came twice", now, publisher));
      if (now < before) violations.push_back(fmt::format("#{} of {:x} came after #{}", now, publisher, before));
    }
    return violations;
  });
}

Violations check_content(Events subscriber) {
  constexpr std::pair<std::uint32_t, const char*> names[] = {
      {payload_fault, "the payload has wrong bytes"},
      {header_fault, "the user header has wrong bytes or size"},
      {origin_fault, "the message was written by another publisher"},
      {number_fault, "the message was written under another sequence"},
      {alignment_fault, "the payload is misaligned"},
      {time_fault, "the publish time is impossible"},
  };
  Violations violations;
  for (const Event& event : subscriber) {
    if (event.kind != EventKind::taken && event.kind != EventKind::released) continue;
    for (const auto& [fault, name] : names) {
      if ((event.faults & fault) == 0) continue;
      violations.push_back(fmt::format("#{} of {:x} ({}+{} bytes), when it was {}: {}", event.sequence, event.peer,
                                       event.size, event.header_size,
                                       event.kind == EventKind::taken ? "taken" : "released", name));
    }
  }
  return violations;
}

Violations check_losses(Events subscriber) {
  return for_each_publisher(subscriber, [](PeerId publisher, const std::vector<Event>& taken) {
    Violations violations;
    for (std::size_t at = 1; at < taken.size(); ++at) {
      const std::uint64_t missed = taken[at].sequence - taken[at - 1].sequence - 1;
      if (taken[at].lost_before != missed) {
        violations.push_back(fmt::format("#{} of {:x} came after #{} and announced {} lost, not {}", taken[at].sequence,
                                         publisher, taken[at - 1].sequence, taken[at].lost_before, missed));
      }
    }
    return violations;
  });
}

Violations check_wakes(Events subscriber) {
  const auto idle = of_kind(subscriber, EventKind::woke_for_nothing);
  if (idle.empty()) return {};
  return {fmt::format("a wait returned ready {} times without anything to take", idle.size())};
}

Violations check_range(Events subscriber, PeerId publisher, std::uint64_t first, std::uint64_t end) {
  Violations violations;
  std::uint64_t next = first;
  for (const Event& event : taken_from(subscriber, publisher)) {
    if (event.sequence != next + event.lost_before) {
      violations.push_back(fmt::format("#{} of {:x} came with {} announced lost where #{} was the next", event.sequence,
                                       publisher, event.lost_before, next));
    }
    next = event.sequence + 1;
  }
  if (next != end) {
    violations.push_back(
        fmt::format("the stream of {:x} was received or announced up to #{}, not #{}", publisher, next, end));
  }
  return violations;
}

Violations check_seam(Events subscriber, PeerId publisher, std::uint64_t history, std::uint64_t least,
                      std::uint64_t most) {
  const auto start_of = [history](std::uint64_t published) { return published - std::min(published, history); };
  const auto taken = taken_from(subscriber, publisher);
  if (taken.empty()) return {fmt::format("nothing came from {:x}", publisher)};
  const std::uint64_t start = taken.front().sequence - taken.front().lost_before;
  if (start >= start_of(least) && start <= start_of(most)) return {};
  return {fmt::format(
      "the stream of {:x} began with #{} for history={}: #{} … #{} published around the join allow #{} … #{}",
      publisher, start, history, least, most, start_of(least), start_of(most))};
}

Violations check_numbers(Events publisher) {
  Violations violations;
  std::uint64_t next = 0;
  for (const Event& event : publisher) {
    if (event.kind != EventKind::published) continue;
    if (event.sequence != next) {
      violations.push_back(fmt::format("publish returned #{}, where #{} was the next", event.sequence, next));
    }
    next = event.sequence + 1;
  }
  return violations;
}

Violations check_origin(Events subscriber, Events publisher) {
  struct Attempt {
    Event message;
    bool accepted = false;
    bool held_back = false;
  };
  std::map<std::pair<PeerId, std::uint64_t>, Attempt> attempts;
  for (const Event& event : publisher) {
    const auto key = std::pair(event.peer, event.sequence);
    if (event.kind == EventKind::publishing) attempts[key] = {event, false, false};
    if (event.kind == EventKind::published) attempts[key] = {event, true, false};
    if (event.kind == EventKind::held_back) attempts[key] = {event, false, true};
  }
  Violations violations;
  for (const Event& event : of_kind(subscriber, EventKind::taken)) {
    const auto found = attempts.find({event.peer, event.sequence});
    if (found == attempts.end()) {
      violations.push_back(fmt::format("#{} of {:x} came and was never published", event.sequence, event.peer));
    } else if (found->second.held_back) {
      violations.push_back(fmt::format("#{} of {:x} came although it was held back", event.sequence, event.peer));
    } else if (found->second.message.size != event.size || found->second.message.header_size != event.header_size) {
      violations.push_back(fmt::format("#{} of {:x} was sent with {}+{} bytes and came with {}+{}", event.sequence,
                                       event.peer, found->second.message.size, found->second.message.header_size,
                                       event.size, event.header_size));
    }
  }
  return violations;
}

Violations check_accepted(Events subscriber, Events publisher, std::uint64_t first) {
  Violations violations;
  std::map<PeerId, std::vector<std::uint64_t>> received;
  for (const Event& event : of_kind(subscriber, EventKind::taken)) received[event.peer].push_back(event.sequence);
  for (auto& [peer, sequences] : received) std::sort(sequences.begin(), sequences.end());
  for (const Event& event : of_kind(publisher, EventKind::published)) {
    const auto& sequences = received[event.peer];
    if (event.sequence >= first && !std::binary_search(sequences.begin(), sequences.end(), event.sequence)) {
      violations.push_back(fmt::format("#{} of {:x} was accepted and never came", event.sequence, event.peer));
    }
  }
  return violations;
}

void append(Violations& all, Violations more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

std::string join(const Violations& violations) {
  constexpr std::size_t shown = 10;
  std::string text;
  for (std::size_t at = 0; at < violations.size() && at < shown; ++at) text += "  " + violations[at] + '\n';
  if (violations.size() > shown) text += fmt::format("  … and {} more\n", violations.size() - shown);
  return text;
}

}  // namespace weir::conformance
