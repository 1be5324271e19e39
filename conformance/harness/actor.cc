// The actor's requests, and its side as a publisher. (As a subscriber: actor_receive.cc.)
#include "conformance/harness/actor.h"

#include <unistd.h>

#include <algorithm>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "conformance/harness/failure.h"
#include "conformance/harness/script.h"

namespace weir::conformance {

Actor::Actor(std::shared_ptr<EventLog> log) : log_(std::move(log)), node_(must(Node::open(), "opening a node")) {}

void Actor::note(Event event) {
  if (!log_->append(event))
    throw HarnessFailure("the event log is full: let the script do less, or raise its capacity");
}

Port& Actor::port(std::uint16_t number) {
  const auto found = ports_.find(number);
  if (found == ports_.end()) throw HarnessFailure(fmt::format("the peer has no port {}", number));
  return found->second;
}

Port& Actor::holder(std::uint16_t number) {
  const auto kept =
      std::find_if(remains_.begin(), remains_.end(), [=](const Port& closed) { return closed.number == number; });
  return ports_.contains(number) || kept == remains_.end() ? port(number) : *kept;
}

Outcome Actor::perform(const Request& request) {
  try {
    switch (request.operation) {
      case Operation::hello:
        return Outcome::of(static_cast<std::uint64_t>(gettid()));
      case Operation::open_publisher:
        return open(request, true);
      case Operation::open_subscriber:
        return open(request, false);
      case Operation::close:
        return close(request);
      case Operation::publish:
        return publish(port(request.port), request.publish);
      case Operation::lend:
        return lend(port(request.port), request.count, request.publish);
      case Operation::drop:
        for (Port& target = port(request.port); target.held_back;) {
          target.held_back.drop();
          note({.kind = EventKind::dropped, .port = target.number, .peer = target.id, .sequence = target.next});
        }
        port(request.port).loans.clear();
        return {};
      case Operation::take:
        return take(port(request.port), request.count, request.keep_samples);
      case Operation::receive:
        return receive(port(request.port), request.receive);
      case Operation::release:
        return release(holder(request.port), request.count);
      case Operation::wait:
        return wait(port(request.port), request.patience);
      case Operation::wait_for_subscribers:
        return wait_for_subscribers(port(request.port), request.count, request.patience);
      case Operation::wait_until_taken:
        return wait_until_taken(port(request.port), request.count, request.patience);
      case Operation::poll:
        return poll(port(request.port), request.patience);
      case Operation::next_events:
        return next_events(port(request.port));
      case Operation::list_peers:
        return list_peers(port(request.port));
      case Operation::run: {
        const std::size_t end = request.text.find('\n');
        const std::string name = request.text.substr(0, end);
        const ScriptFunction function = find_script(name);
        if (function == nullptr) throw HarnessFailure("there is no script named " + name);
        return function(*this, end == std::string::npos ? std::string() : request.text.substr(end + 1));
      }
      case Operation::exit:
        _exit(0);
    }
    throw HarnessFailure("an unknown operation");
  } catch (const std::exception& thrown) {
    return Outcome::of(Error(ErrorCode::internal, std::string("harness: ") + thrown.what()));
  }
}

Outcome Actor::open(const Request& request, bool as_publisher) {
  Port opened{.number = request.port};
  if (as_publisher) {
    Result<Publisher> publisher = node_.publisher(request.text);
    if (!publisher) return Outcome::of(publisher.error());
    opened.publisher.emplace(std::move(*publisher));
    opened.id = opened.publisher->id();
    if (const std::uint64_t next = opened.publisher->next_sequence(); next != spi::no_sequence) opened.next = next;
  } else {
    Result<Subscriber> subscriber = node_.subscriber(request.text);
    if (!subscriber) return Outcome::of(subscriber.error());
    opened.subscriber.emplace(std::move(*subscriber));
    opened.id = opened.subscriber->id();
  }
  note({.kind = as_publisher ? EventKind::opened_publisher : EventKind::opened_subscriber,
        .port = request.port,
        .peer = opened.id});
  const PeerId id = opened.id;
  // A backend that knows no ids: messages then state one that is only ours.
  if (as_publisher && opened.id == 0) opened.id = (static_cast<PeerId>(gettid()) << 16U) + request.port;
  if (!ports_.emplace(request.port, std::move(opened)).second) throw HarnessFailure("the port is in use already");
  return Outcome::of(id);
}

Outcome Actor::close(const Request& request) {
  Port closing = std::move(port(request.port));
  ports_.erase(request.port);
  closing.wait_set.reset();
  closing.publisher.reset();
  closing.subscriber.reset();
  note({.kind = EventKind::closed, .port = request.port, .peer = closing.id});
  if (request.keep_samples) {
    // What was opened again under this number later has nothing to do with it.
    remains_.push_back(std::move(closing));
  }
  return {};
}

Status Actor::prepare(Port& port, const PublishScript& script) {
  const std::uint64_t size = mixed_size(port.next, script.size, script.size_most);
  Result<Loan> loan = port.publisher->loan(size, script.header_size, script.alignment);
  if (!loan) return tl::unexpected(loan.error());
  if (loan->payload().size() != size || loan->header().size() != script.header_size) {
    throw HarnessFailure(fmt::format("a loan of {}+{} bytes has {}+{}", size, script.header_size,
                                     loan->payload().size(), loan->header().size()));
  }
  if (size > 0 && reinterpret_cast<std::uintptr_t>(loan->payload().data()) % script.alignment != 0) {
    throw HarnessFailure(fmt::format("a loan is not aligned to {}", script.alignment));
  }
  port.held_back = std::move(*loan);
  write_message(port.held_back.payload(), port.held_back.header(), {port.id, port.next});
  return {};
}

Outcome Actor::publish(Port& port, const PublishScript& script) {
  std::uint64_t done = 0;
  while (done < script.count && !log_->asked_to_halt()) {
    Event event{.port = port.number, .peer = port.id, .sequence = port.next};
    if (!port.held_back) {
      if (Status prepared = prepare(port, script); !prepared) {
        event.kind = EventKind::failed;
        event.code = static_cast<std::uint8_t>(prepared.error().code());
        note(event);
        return Outcome::of(prepared.error(), done);
      }
    } else if (read_message(port.held_back.payload(), port.held_back.header(), {port.id, port.next}).faults != 0) {
      throw HarnessFailure(fmt::format("the loan of #{} changed while it was held back", port.next));
    }
    event.size = port.held_back.payload().size();
    event.header_size = port.held_back.header().size();
    event.kind = EventKind::publishing;
    if (!script.quiet) note(event);
    log_->set_progress({.begun = port.next + 1, .accepted = port.next});
    const Result<std::uint64_t> sequence = port.held_back.publish(script.patience.deadline());
    if (sequence) {
      event.kind = EventKind::published;
      event.sequence = *sequence;
      if (!script.quiet) note(event);
      ++port.next;
      ++done;
      log_->set_progress({.begun = port.next, .accepted = port.next});
      continue;
    }
    const bool back_pressure = sequence.error().code() == ErrorCode::back_pressure;
    event.kind = back_pressure ? EventKind::held_back : EventKind::failed;
    event.code = static_cast<std::uint8_t>(sequence.error().code());
    if (!script.quiet) note(event);
    log_->set_progress({.begun = port.next, .accepted = port.next});
    if (!port.held_back) throw HarnessFailure("a refused publish has consumed its loan");
    if (!back_pressure || script.when == When::held_back_stop) return Outcome::of(sequence.error(), done);
    if (script.when == When::held_back_end) break;
    if (Result<Wake> woke = port.publisher->wait(never); !woke) return Outcome::of(woke.error(), done);
  }
  return Outcome::of(done);
}

Outcome Actor::lend(Port& port, std::uint64_t count, const PublishScript& script) {
  for (std::uint64_t done = 0; done < count; ++done) {
    Result<Loan> loan = port.publisher->loan(script.size, script.header_size, script.alignment);
    if (!loan) return Outcome::of(loan.error(), done);
    write_message(loan->payload(), loan->header(), {port.id, port.next});
    port.loans.push_back(std::move(*loan));
  }
  return Outcome::of(count);
}

Outcome Actor::wait_until_taken(Port& port, std::uint64_t sequence, Patience patience) {
  note({.kind = EventKind::waiting, .port = port.number});
  const Status taken = port.publisher->wait_until_taken(sequence, patience.deadline().value_or(never));
  return taken ? Outcome() : Outcome::of(taken.error());
}

Outcome Actor::wait_for_subscribers(Port& port, std::uint64_t count, Patience patience) {
  note({.kind = EventKind::waiting, .port = port.number});
  if (Status there = port.publisher->wait_for_subscribers(count, patience.deadline().value_or(never)); !there) {
    return Outcome::of(there.error());
  }
  note({.kind = EventKind::subscribers_there,
        .port = port.number,
        .peer = port.id,
        .sequence = port.next,
        .size = count});
  return {};
}

void serve(int socket, const std::shared_ptr<EventLog>& log) {
  Actor actor(log);
  Request request;
  while (receive(socket, request) && send(socket, actor.perform(request))) {
  }
}

}  // namespace weir::conformance
