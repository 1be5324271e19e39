// The actor's side as a subscriber, and what publishers and subscribers have in common.
#include <poll.h>

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "conformance/harness/actor.h"
#include "conformance/harness/failure.h"

namespace weir::conformance {
namespace {

// Clocks of two processors, or a clock converted from ticks, may differ by so much.
constexpr std::chrono::microseconds clock_tolerance(50);

// Milliseconds for poll(2), rounded up.
int milliseconds(const std::optional<Deadline>& deadline) {
  if (!deadline || *deadline == never) return -1;
  if (passed(*deadline)) return 0;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, std::numeric_limits<int>::max()));
}

Result<bool> readable(Result<int> descriptor, const std::optional<Deadline>& deadline) {
  if (!descriptor) return tl::unexpected(descriptor.error());
  pollfd polled{*descriptor, POLLIN, 0};
  while (true) {
    const int count = ::poll(&polled, 1, milliseconds(deadline));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_system_failure("poll");
    if ((polled.revents & (POLLERR | POLLNVAL)) != 0) {
      return failure(ErrorCode::internal, fmt::format("poll of fd() reports {:#x}", polled.revents));
    }
    return count > 0;
  }
}

}  // namespace

Result<bool> Actor::take_one(Port& port, std::uint64_t alignment) {
  Result<Sample> sample = port.subscriber->take();
  if (!sample) {
    note({.kind = EventKind::failed, .code = static_cast<std::uint8_t>(sample.error().code()), .port = port.number});
    return tl::unexpected(sample.error());
  }
  if (!*sample) return false;
  const Capabilities& capabilities = port.subscriber->capabilities();
  const MessageIdentity stated{sample->publisher(),
                               capabilities.sequence ? sample->sequence() : weir::spi::no_sequence};
  MessageReading reading = read_message(sample->payload(), sample->header(), stated);
  if (!sample->payload().empty() && reinterpret_cast<std::uintptr_t>(sample->payload().data()) % alignment != 0) {
    reading.faults |= alignment_fault;
  }
  if (capabilities.publish_time) {
    const auto time = sample->publish_time().time_since_epoch();
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    std::int64_t& newest = port.newest_time[reading.identity.publisher];
    if (time > now + clock_tolerance || time + clock_tolerance < std::chrono::nanoseconds(newest)) {
      reading.faults |= time_fault;
    }
    newest = std::max<std::int64_t>(newest, time.count());
  }
  note({.kind = EventKind::taken,
        .port = port.number,
        .faults = reading.faults,
        .peer = reading.identity.publisher,
        .sequence = reading.identity.number,
        .lost_before = sample->lost_before(),
        .size = sample->payload().size(),
        .header_size = sample->header().size()});
  port.accounted[reading.identity.publisher] = reading.identity.number + 1;
  port.held.push_back({std::move(*sample), reading.identity});
  return true;
}

Outcome Actor::release(Port& port, std::uint64_t count) {
  std::uint64_t done = 0;
  for (; done < count && !port.held.empty(); ++done) {
    const Port::Held& held = port.held.front();
    const MessageReading reading = read_message(held.sample.payload(), held.sample.header(), held.identity);
    note({.kind = EventKind::released,
          .port = port.number,
          .faults = reading.faults,
          .peer = held.identity.publisher,
          .sequence = held.identity.number,
          .size = held.sample.payload().size(),
          .header_size = held.sample.header().size()});
    port.held.pop_front();
  }
  return Outcome::of(done);
}

Outcome Actor::take(Port& port, std::uint64_t count, bool hold) {
  for (std::uint64_t done = 0; done < count; ++done) {
    const Result<bool> taken = take_one(port, 8);
    if (!taken) return Outcome::of(taken.error(), done);
    if (!*taken) return Outcome::of(done);
    if (!hold) port.held.pop_back();
  }
  return Outcome::of(count);
}

Status Actor::wait_for_data(Port& port, WaitMethod waiting) {
  if (waiting == WaitMethod::spin) return {};
  if (waiting == WaitMethod::wait) return port.subscriber->wait(never).map([](Wake) {});
  // A descriptor is readable for membership events too, until they are fetched.
  if (port.subscriber->capabilities().membership == MembershipView::full) {
    if (const Outcome fetched = next_events(port); !fetched) return failure(fetched.code, fetched.text);
  }
  if (waiting == WaitMethod::poll) return readable(port.subscriber->fd(), never).map([](bool) {});
  if (!port.wait_set) {
    Result<WaitSet> made = WaitSet::create();
    if (!made) return tl::unexpected(made.error());
    port.wait_set.emplace(std::move(*made));
    if (Status added = port.wait_set->add(*port.subscriber, port.number); !added) return added;
  }
  return port.wait_set->wait(never).map([](const WaitSet::Ready&) {});
}

Outcome Actor::receive(Port& port, const ReceiveScript& script) {
  std::uint64_t done = 0;
  const auto complete = [&] {
    return static_cast<std::uint64_t>(std::count_if(port.accounted.begin(), port.accounted.end(),
                                                    [&](const auto& entry) { return entry.second >= script.next; })) >=
           script.publishers;
  };
  while (!complete() && !log_->asked_to_halt()) {
    if (Status waited = wait_for_data(port, script.waiting); !waited) return Outcome::of(waited.error(), done);
    bool first = true;
    while (true) {
      const Result<bool> taken = take_one(port, script.alignment);
      if (!taken) return Outcome::of(taken.error(), done);
      if (!*taken) break;
      ++done;
      first = false;
      if (port.held.size() > script.hold) release(port, 1);
      if (complete()) break;
    }
    if (first && script.waiting == WaitMethod::wait) note({.kind = EventKind::woke_for_nothing, .port = port.number});
  }
  return Outcome::of(done);
}

Outcome Actor::wait(Port& port, Patience patience) {
  note({.kind = EventKind::waiting, .port = port.number});
  const Deadline deadline = patience.deadline().value_or(never);
  const Result<Wake> woke = port.publisher ? port.publisher->wait(deadline) : port.subscriber->wait(deadline);
  if (!woke) return Outcome::of(woke.error());
  note({.kind = EventKind::woke, .code = static_cast<std::uint8_t>(*woke), .port = port.number});
  return Outcome::of(*woke);
}

Outcome Actor::poll(Port& port, Patience patience) {
  note({.kind = EventKind::waiting, .port = port.number});
  const Result<bool> ready =
      readable(port.publisher ? port.publisher->fd() : port.subscriber->fd(), patience.deadline());
  if (!ready) return Outcome::of(ready.error());
  return Outcome::of(*ready ? 1U : 0U);
}

Outcome Actor::next_events(Port& port) {
  for (std::uint64_t done = 0;; ++done) {
    const auto event = port.publisher ? port.publisher->next_event() : port.subscriber->next_event();
    if (!event) return Outcome::of(event.error(), done);
    if (!*event) return Outcome::of(done);
    const MembershipEvent& change = **event;
    const EventKind kind = change.change == Change::joined ? EventKind::joined
                           : change.change == Change::left ? EventKind::left
                                                           : EventKind::died;
    note({.kind = kind, .port = port.number, .peer = change.peer.id});
  }
}

Outcome Actor::list_peers(Port& port) {
  const auto peers = port.publisher ? port.publisher->peers() : port.subscriber->peers();
  if (!peers) return Outcome::of(peers.error());
  for (const Peer& peer : *peers) {
    note({.kind = EventKind::listed, .code = peer.alive, .port = port.number, .peer = peer.id});
  }
  return Outcome::of(peers->size());
}

}  // namespace weir::conformance
