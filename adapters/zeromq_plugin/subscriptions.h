// How publishers of kind XPUB learn the subscriptions of those who are connected to them: a topic beside the data's, on
// which each subscriber is a publisher of its own.
//
// Every message there has all subscriptions of its sender with their counts, so the newest says all, history=1 serves
// those who come late, and nothing has to be repeated after a loss. The difference to what the same sender said before
// is what an XPUB socket hears; so is what is missing after its end, by whatever death. Behind the subscriptions there
// may be a message of the application's own, which XSUB sockets can send upstream.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adapters/zeromq_plugin/prefixes.h"
#include "adapters/zeromq_plugin/receiver.h"
#include "adapters/zeromq_plugin/sender.h"
#include "transport/endpoint.h"
#include "transport/status.h"

namespace weir::zmq_plugin {

// A subscriber's side. Thread-compatible.
class Announcer {
 public:
  // Says what `prefixes` has at once, if it has anything.
  [[nodiscard]] static Result<Announcer> open(const Endpoint& topic, const Prefixes& prefixes);

  // Errors: no memory for them.
  [[nodiscard]] Status announce(const Prefixes& prefixes);
  // Sends a message of the application's own beside them, to those who are there: who comes later finds the
  // subscriptions alone, which are said again. Without memory it is lost.
  void send(const Prefixes& prefixes, std::span<const Frame> frames);
  void close() noexcept;

 private:
  explicit Announcer(std::unique_ptr<spi::PublisherPort> port) noexcept;
  [[nodiscard]] Status say(const Prefixes& prefixes, std::span<const Frame> frames);
  std::unique_ptr<shm::PublisherPort> port_;
};

// What an XPUB socket is told of subscriptions, besides the first and the last of each prefix.
struct Verbosity {
  bool every_subscription = false;    // ZMQ_XPUB_VERBOSE
  bool every_unsubscription = false;  // ZMQ_XPUB_VERBOSER
};

// The messages that an XPUB socket receives: each a list of frames.
using Heard = std::deque<std::vector<std::string>>;

// An XPUB socket's side. Thread-compatible.
class Listener {
 public:
  [[nodiscard]] static Result<Listener> open(const Endpoint& topic);

  // Appends what is new. Makes fd() quiet until there is more; false: not so, as it could not look at all. Throws
  // std::bad_alloc, and loses nothing by that.
  [[nodiscard]] bool listen(const Verbosity& verbosity, Heard& heard);
  [[nodiscard]] Result<int> fd() { return receiver_->fd(); }
  void close() noexcept;

 private:
  explicit Listener(Ref<Receiver> receiver) noexcept : receiver_(std::move(receiver)) {}
  // All that is there. False: it could not look.
  [[nodiscard]] bool hear_all(const Verbosity& verbosity, Heard& heard);
  void hear(PeerId peer, const spi::SampleRecord& sample, const Verbosity& verbosity, Heard& heard);
  void forget(PeerId peer, const Verbosity& verbosity, Heard& heard);
  void update(Prefixes::Counts& known, Prefixes::Counts now, std::vector<std::string> upstream,
              const Verbosity& verbosity, Heard& heard);

  Ref<Receiver> receiver_;
  // Taken, and not heard yet: more than that only for want of memory.
  std::optional<spi::SampleRecord> sample_;
  std::optional<PeerId> gone_;  // after what it said
  std::map<PeerId, Prefixes::Counts> peers_;
  std::map<std::string, std::uint32_t, std::less<>> subscribers_;  // of each prefix
};

}  // namespace weir::zmq_plugin
