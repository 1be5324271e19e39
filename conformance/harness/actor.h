// Does what a test asks of a peer, with weir's public interface alone, and writes down what came of it.
//
// It is the same for a peer that is a process and for one that is a thread (peer.h).
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conformance/harness/event_log.h"
#include "conformance/harness/message.h"
#include "conformance/harness/request.h"
#include "transport/node.h"
#include "transport/publisher.h"
#include "transport/subscriber.h"
#include "transport/wait_set.h"

namespace weir::conformance {

// A publisher or subscriber of a peer, with what it has lent or holds.
struct Port {
  std::uint16_t number = 0;
  std::optional<Publisher> publisher = {};
  std::optional<Subscriber> subscriber = {};

  // Of a publisher.
  PeerId id = 0;           // what its messages state as their publisher
  std::uint64_t next = 0;  // the number of its next message
  Loan held_back = {};     // refused with back_pressure, to be published by the next publish
  std::vector<Loan> loans = {};

  // Of a subscriber.
  struct Held {
    Sample sample;
    MessageIdentity identity;
  };
  std::deque<Held> held = {};
  std::map<PeerId, std::uint64_t> accounted = {};  // the number after the last received, for each publisher
  std::map<PeerId, std::int64_t> newest_time = {};
  std::optional<WaitSet> wait_set = {};
};

class Actor {
 public:
  explicit Actor(std::shared_ptr<EventLog> log);

  // Performs a request. Throws nothing; what the harness itself meets comes back as ErrorCode::internal.
  [[nodiscard]] Outcome perform(const Request& request);

  // For scripts (script.h): the port must exist.
  [[nodiscard]] Port& port(std::uint16_t number);
  [[nodiscard]] EventLog& log() { return *log_; }
  [[nodiscard]] Node& node() { return node_; }

 private:
  Outcome open(const Request& request, bool as_publisher);
  Outcome close(const Request& request);
  Outcome publish(Port& port, const PublishScript& script);
  Outcome lend(Port& port, std::uint64_t count, const PublishScript& script);
  Outcome take(Port& port, std::uint64_t count, bool hold);
  Outcome receive(Port& port, const ReceiveScript& script);
  Outcome release(Port& port, std::uint64_t count);
  Outcome wait(Port& port, Patience patience);
  Outcome wait_for_subscribers(Port& port, std::uint64_t count, Patience patience);
  Outcome wait_until_taken(Port& port, std::uint64_t sequence, Patience patience);
  Outcome poll(Port& port, Patience patience);
  Outcome next_events(Port& port);
  Outcome list_peers(Port& port);

  // The port, be it closed, whose samples are to be released.
  [[nodiscard]] Port& holder(std::uint16_t number);
  // Makes port.held_back the next message. Error: that of loan().
  Status prepare(Port& port, const PublishScript& script);
  // Takes one sample into port.held and logs it. False: there was none.
  Result<bool> take_one(Port& port, std::uint64_t alignment);
  Status wait_for_data(Port& port, WaitMethod waiting);
  void note(Event event);

  std::shared_ptr<EventLog> log_;
  Node node_;
  std::map<std::uint16_t, Port> ports_;
  // Of closed ports: samples and loans that outlive their handle.
  std::vector<Port> remains_;
};

// Answers the requests that come over the socket until its other end is closed.
void serve(int socket, const std::shared_ptr<EventLog>& log);

}  // namespace weir::conformance
