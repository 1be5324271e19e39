// A scripted peer as a test sees it.
//
//   ScriptedPeer& source = peer("source");
//   ScriptedPeer& sink = peer("sink");
//   auto publisher = source.publisher(uri("camera", "depth=8"));
//   auto subscriber = sink.subscriber(uri("camera", "depth=8"));
//   publisher.wait_for_subscribers(1);
//   publisher.publish({.count = 100});
//   EXPECT_EQ(subscriber.take_all(), 8);
//
// Every call returns when the peer has answered, so the order of calls is the order of what happened. begin() lets a
// peer work meanwhile; one request at a time. Calls whose failure ends the test throw HarnessFailure; those that begin
// with try_ return what the call under test returned. Not thread-safe but for kill_at_once() and story().
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/harness/event_log.h"
#include "conformance/harness/performer.h"
#include "conformance/harness/request.h"
#include "conformance/history/event.h"

namespace weir::conformance {

class ScriptedPeer;

// A handle of a peer: what both roles have. A reference, to be copied freely; the peer must outlive it.
class RemotePort {
 public:
  [[nodiscard]] PeerId id() const noexcept { return id_; }
  [[nodiscard]] std::uint16_t number() const noexcept { return number_; }
  // What happened to this handle so far.
  [[nodiscard]] std::vector<Event> events() const;
  [[nodiscard]] std::vector<Event> events(EventKind kind) const;
  // The first and the last of a kind; the test ends if there is none.
  [[nodiscard]] Event first_event(EventKind kind) const;
  [[nodiscard]] Event last_event(EventKind kind) const;

  void close() const;
  // Closes the handle, but keeps its loans or samples.
  void close_but_keep() const;
  [[nodiscard]] Outcome try_wait(Patience patience) const;
  void begin_wait(Patience patience) const;
  // Whether fd() is readable, or becomes so in time.
  [[nodiscard]] bool readable(Patience patience = std::chrono::nanoseconds(0)) const;
  // Fetches the membership events there are; they are in events() then.
  std::uint64_t next_events() const;
  [[nodiscard]] Outcome try_list_peers() const;

 protected:
  friend class ScriptedPeer;
  RemotePort(ScriptedPeer& peer, std::uint16_t number, PeerId id) : peer_(&peer), number_(number), id_(id) {}
  [[nodiscard]] Request request(Operation operation) const;
  [[nodiscard]] std::vector<Event> some_events(EventKind kind) const;

  ScriptedPeer* peer_;
  std::uint16_t number_;
  PeerId id_;
};

class RemotePublisher : public RemotePort {
 public:
  void wait_for_subscribers(std::uint64_t count) const;
  [[nodiscard]] Outcome try_wait_for_subscribers(std::uint64_t count, Patience patience) const;
  [[nodiscard]] Outcome try_wait_until_taken(std::uint64_t sequence, Patience patience) const;
  void begin_wait_until_taken(std::uint64_t sequence) const;
  // All of them, or the test ends. Returns how many, which is fewer only with When::held_back_end.
  std::uint64_t publish(const PublishScript& script = {}) const;
  [[nodiscard]] Outcome try_publish(const PublishScript& script = {}) const;
  void begin_publish(const PublishScript& script) const;
  [[nodiscard]] Outcome try_lend(std::uint64_t count, const PublishScript& script = {}) const;
  void drop_loans() const;

 private:
  friend class ScriptedPeer;
  using RemotePort::RemotePort;
};

class RemoteSubscriber : public RemotePort {
 public:
  // Up to `count`, each released at once; returns how many there were.
  std::uint64_t take(std::uint64_t count) const;
  std::uint64_t take_all() const;
  // As take, but keeps them in hand.
  std::uint64_t hold(std::uint64_t count) const;
  [[nodiscard]] Outcome try_hold(std::uint64_t count) const;
  // The oldest in hand, each read once more; also after close_but_keep().
  std::uint64_t release(std::uint64_t count) const;
  std::uint64_t receive(const ReceiveScript& script) const;
  void begin_receive(const ReceiveScript& script) const;

 private:
  friend class ScriptedPeer;
  using RemotePort::RemotePort;
};

class ScriptedPeer {
 public:
  ScriptedPeer(std::string name, Home home);
  ScriptedPeer(const ScriptedPeer&) = delete;
  ScriptedPeer& operator=(const ScriptedPeer&) = delete;
  ~ScriptedPeer() = default;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] pid_t process() const noexcept { return performer_->process(); }

  // Opens a handle, which stays open until it is closed or the peer ends.
  RemotePublisher publisher(std::string_view uri);
  RemoteSubscriber subscriber(std::string_view uri);
  [[nodiscard]] Outcome try_publisher(std::string_view uri);
  [[nodiscard]] Outcome try_subscriber(std::string_view uri);

  // One of the test's own scripts (script.h).
  [[nodiscard]] Outcome run(std::string_view script, std::string_view argument = {});
  void begin_run(std::string_view script, std::string_view argument = {});

  // One request at a time: begin() … finish(). Throws if the peer is gone.
  void begin(const Request& request);
  [[nodiscard]] Outcome finish();
  [[nodiscard]] Outcome perform(const Request& request);
  // finish() that must be good; its value.
  std::uint64_t finish_well();

  // Waits until the peer has begun to wait in the call it was last told to make, or until that call has come to its end
  // by itself, as one with a deadline may on a slow machine: to bring a scene about, not to judge.
  void wait_until_blocked() const;
  // Waits until its log holds as many events. For what ends by itself: count from log().size() before the cause.
  void wait_until_logged(std::uint64_t events) const;
  // Wait until the peer has logged so many events more than now, or published so many more: for what goes on endlessly.
  void wait_for_events(std::uint64_t more) const;
  void wait_for_publishes(std::uint64_t more) const;
  // How far its publisher that works now, or was the last to work, has come.
  [[nodiscard]] EventLog::Progress progress() const noexcept { return log_->progress(); }
  // Whether what was begun has come to its end.
  [[nodiscard]] bool answered() const;
  // Lets publish and receive end where they are.
  void halt();

  // Signals, see Performer. What was begun is forgotten by a kill.
  void kill();
  void kill_unreaped();
  void stop();
  void go_on();
  void kill_at_once() noexcept { performer_->kill_at_once(); }
  // Ends the process without closing any handle.
  void exit();

  // Lets it close its handles and end. Empty, or what went wrong. Later calls do nothing.
  std::string end();

  [[nodiscard]] const EventLog& log() const noexcept { return *log_; }
  [[nodiscard]] std::vector<Event> events() const { return log_->events(); }
  // The last events, for people.
  [[nodiscard]] std::string story() const;

 private:
  template <class Port>
  Port open(Operation operation, std::string_view uri);
  Outcome try_open(Operation operation, std::string_view uri);
  [[nodiscard]] std::string where() const;
  [[nodiscard]] std::string doing() const;
  // Throws if what was begun has come to its end already.
  void expect_busy() const;
  void set_doing(std::string doing);

  std::string name_;
  std::shared_ptr<EventLog> log_;
  std::unique_ptr<Performer> performer_;
  std::uint64_t thread_ = 0;
  std::uint16_t ports_ = 0;
  mutable std::mutex doing_lock_;
  std::string doing_;  // the request that was begun; empty if none
  bool ended_ = false;
};

}  // namespace weir::conformance
