#include "conformance/harness/peer.h"

#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "conformance/harness/asleep.h"
#include "conformance/harness/failure.h"
#include "conformance/history/check.h"

namespace weir::conformance {
// ---- ScriptedPeer ----

ScriptedPeer::ScriptedPeer(std::string name, Home home)
    : name_(std::move(name)), log_(EventLog::create()), performer_(Performer::start(home, log_)) {
  thread_ = perform({.operation = Operation::hello}).value;
}

std::string ScriptedPeer::where() const { return fmt::format("peer \"{}\"", name_); }

std::string ScriptedPeer::doing() const {
  const std::lock_guard<std::mutex> lock(doing_lock_);
  return doing_;
}

void ScriptedPeer::set_doing(std::string doing) {
  const std::lock_guard<std::mutex> lock(doing_lock_);
  doing_ = std::move(doing);
}

void ScriptedPeer::begin(const Request& request) {
  if (!doing().empty()) throw HarnessFailure(fmt::format("{} is still busy with {}", where(), doing()));
  set_doing(to_string(request));
  log_->allow_to_go_on();
  if (!send(performer_->socket(), request)) throw HarnessFailure(where() + " is gone\n" + story());
}

Outcome ScriptedPeer::finish() {
  Outcome outcome;
  const std::string doing = this->doing();
  set_doing({});
  if (!receive(performer_->socket(), outcome)) {
    throw HarnessFailure(fmt::format("{} ended while it was at: {}\n{}", where(), doing, story()));
  }
  if (outcome.is(ErrorCode::internal)) {
    throw HarnessFailure(fmt::format("{} at {}: {}\n{}", where(), doing, outcome.text, story()));
  }
  return outcome;
}

Outcome ScriptedPeer::perform(const Request& request) {
  begin(request);
  return finish();
}

std::uint64_t ScriptedPeer::finish_well() {
  const std::string doing = this->doing();
  const Outcome outcome = finish();
  if (!outcome) throw HarnessFailure(fmt::format("{} at {}: {}\n{}", where(), doing, to_string(outcome), story()));
  return outcome.value;
}

Outcome ScriptedPeer::try_open(Operation operation, std::string_view uri) {
  return perform({.operation = operation, .port = ++ports_, .text = std::string(uri)});
}

template <class Port>
Port ScriptedPeer::open(Operation operation, std::string_view uri) {
  begin({.operation = operation, .port = ++ports_, .text = std::string(uri)});
  const PeerId id = finish_well();
  return Port(*this, ports_, id);
}

RemotePublisher ScriptedPeer::publisher(std::string_view uri) {
  return open<RemotePublisher>(Operation::open_publisher, uri);
}
RemoteSubscriber ScriptedPeer::subscriber(std::string_view uri) {
  return open<RemoteSubscriber>(Operation::open_subscriber, uri);
}
Outcome ScriptedPeer::try_publisher(std::string_view uri) { return try_open(Operation::open_publisher, uri); }
Outcome ScriptedPeer::try_subscriber(std::string_view uri) { return try_open(Operation::open_subscriber, uri); }

void ScriptedPeer::begin_run(std::string_view script, std::string_view argument) {
  begin({.operation = Operation::run, .text = fmt::format("{}\n{}", script, argument)});
}

Outcome ScriptedPeer::run(std::string_view script, std::string_view argument) {
  begin_run(script, argument);
  return finish();
}

void ScriptedPeer::wait_until_blocked() const {
  while (true) {
    const std::size_t count = log_->size();
    const auto last = log_->events(count == 0 ? 0 : count - 1);
    const bool in_call =
        !last.empty() && (last.front().kind == EventKind::publishing || last.front().kind == EventKind::waiting);
    if (in_call && asleep(performer_->process(), static_cast<pid_t>(thread_)) && log_->size() == count) return;
    if (answered()) return;
    sched_yield();
  }
}

bool ScriptedPeer::answered() const {
  pollfd polled{performer_->socket(), POLLIN, 0};
  return ::poll(&polled, 1, 0) != 0;
}

void ScriptedPeer::expect_busy() const {
  if (doing().empty() || answered()) throw HarnessFailure(where() + " has stopped early\n" + story());
}

void ScriptedPeer::wait_until_logged(std::uint64_t events) const {
  while (!log_->wait_for(events, after(std::chrono::milliseconds(50)))) expect_busy();
}

void ScriptedPeer::wait_for_events(std::uint64_t more) const { wait_until_logged(log_->size() + more); }

void ScriptedPeer::wait_for_publishes(std::uint64_t more) const {
  const std::uint64_t wanted = progress().accepted + more;
  while (progress().accepted < wanted) {
    expect_busy();
    sched_yield();
  }
}

void ScriptedPeer::halt() { log_->ask_to_halt(); }

void ScriptedPeer::kill() {
  performer_->kill();
  set_doing({});
}
void ScriptedPeer::kill_unreaped() {
  performer_->kill_unreaped();
  set_doing({});
}
void ScriptedPeer::stop() { performer_->stop(); }
void ScriptedPeer::go_on() { performer_->go_on(); }

void ScriptedPeer::exit() {
  if (performer_->process() == getpid())
    throw HarnessFailure("a thread cannot exit: the test needs feature::processes");
  begin({.operation = Operation::exit});
  Outcome none;
  if (receive(performer_->socket(), none)) throw HarnessFailure(where() + " did not exit");
  set_doing({});
}

std::string ScriptedPeer::end() {
  if (std::exchange(ended_, true)) return {};
  halt();
  std::string fault = performer_->finish();
  return fault.empty() ? fault : fmt::format("{} {}", where(), fault);
}

std::string ScriptedPeer::story() const {
  constexpr std::size_t shown = 40;
  const std::size_t count = log_->size();
  std::size_t number = count - std::min(count, shown);
  const std::string doing = this->doing();
  std::string text = fmt::format("---- {}: {} events{}\n", where(), count, doing.empty() ? "" : ", at " + doing);
  for (const Event& event : log_->events(number)) text += fmt::format("{:7} {}\n", number++, to_string(event));
  return text;
}

// ---- Ports ----

Request RemotePort::request(Operation operation) const { return {.operation = operation, .port = number_}; }

std::vector<Event> RemotePort::events() const { return of_port(peer_->events(), number_); }
std::vector<Event> RemotePort::events(EventKind kind) const { return of_kind(events(), kind); }
Event RemotePort::first_event(EventKind kind) const { return some_events(kind).front(); }
Event RemotePort::last_event(EventKind kind) const { return some_events(kind).back(); }

std::vector<Event> RemotePort::some_events(EventKind kind) const {
  std::vector<Event> some = events(kind);
  if (!some.empty()) return some;
  throw HarnessFailure(
      fmt::format("port {} of peer \"{}\" has no event \"{}\"", number_, peer_->name(), name_of(kind)));
}

void RemotePort::close() const {
  peer_->begin(request(Operation::close));
  peer_->finish_well();
}

void RemotePort::close_but_keep() const {
  Request closing = request(Operation::close);
  closing.keep_samples = true;
  peer_->begin(closing);
  peer_->finish_well();
}

void RemotePort::begin_wait(Patience patience) const {
  Request waiting = request(Operation::wait);
  waiting.patience = patience;
  peer_->begin(waiting);
}

Outcome RemotePort::try_wait(Patience patience) const {
  begin_wait(patience);
  return peer_->finish();
}

bool RemotePort::readable(Patience patience) const {
  Request polling = request(Operation::poll);
  polling.patience = patience;
  peer_->begin(polling);
  return peer_->finish_well() != 0;
}

std::uint64_t RemotePort::next_events() const {
  peer_->begin(request(Operation::next_events));
  return peer_->finish_well();
}

Outcome RemotePort::try_list_peers() const { return peer_->perform(request(Operation::list_peers)); }

// ---- Publishers ----

Outcome RemotePublisher::try_wait_for_subscribers(std::uint64_t count, Patience patience) const {
  Request waiting = request(Operation::wait_for_subscribers);
  waiting.count = count;
  waiting.patience = patience;
  return peer_->perform(waiting);
}

void RemotePublisher::wait_for_subscribers(std::uint64_t count) const {
  Request waiting = request(Operation::wait_for_subscribers);
  waiting.count = count;
  waiting.patience = Patience::unbounded();
  peer_->begin(waiting);
  peer_->finish_well();
}

Outcome RemotePublisher::try_wait_until_taken(std::uint64_t sequence, Patience patience) const {
  Request waiting = request(Operation::wait_until_taken);
  waiting.count = sequence;
  waiting.patience = patience;
  return peer_->perform(waiting);
}

void RemotePublisher::begin_wait_until_taken(std::uint64_t sequence) const {
  Request waiting = request(Operation::wait_until_taken);
  waiting.count = sequence;
  waiting.patience = Patience::unbounded();
  peer_->begin(waiting);
}

void RemotePublisher::begin_publish(const PublishScript& script) const {
  Request publishing = request(Operation::publish);
  publishing.publish = script;
  peer_->begin(publishing);
}

Outcome RemotePublisher::try_publish(const PublishScript& script) const {
  begin_publish(script);
  return peer_->finish();
}

std::uint64_t RemotePublisher::publish(const PublishScript& script) const {
  begin_publish(script);
  return peer_->finish_well();
}

Outcome RemotePublisher::try_lend(std::uint64_t count, const PublishScript& script) const {
  Request lending = request(Operation::lend);
  lending.count = count;
  lending.publish = script;
  return peer_->perform(lending);
}

void RemotePublisher::drop_loans() const {
  peer_->begin(request(Operation::drop));
  peer_->finish_well();
}

// ---- Subscribers ----

std::uint64_t RemoteSubscriber::take(std::uint64_t count) const {
  Request taking = request(Operation::take);
  taking.count = count;
  peer_->begin(taking);
  return peer_->finish_well();
}

std::uint64_t RemoteSubscriber::take_all() const { return take(Request{}.count); }

Outcome RemoteSubscriber::try_hold(std::uint64_t count) const {
  Request taking = request(Operation::take);
  taking.count = count;
  taking.keep_samples = true;
  return peer_->perform(taking);
}

std::uint64_t RemoteSubscriber::hold(std::uint64_t count) const {
  const Outcome outcome = try_hold(count);
  if (!outcome) throw HarnessFailure("hold: " + to_string(outcome));
  return outcome.value;
}

std::uint64_t RemoteSubscriber::release(std::uint64_t count) const {
  Request releasing = request(Operation::release);
  releasing.count = count;
  peer_->begin(releasing);
  return peer_->finish_well();
}

void RemoteSubscriber::begin_receive(const ReceiveScript& script) const {
  Request receiving = request(Operation::receive);
  receiving.receive = script;
  peer_->begin(receiving);
}

std::uint64_t RemoteSubscriber::receive(const ReceiveScript& script) const {
  begin_receive(script);
  return peer_->finish_well();
}

}  // namespace weir::conformance
