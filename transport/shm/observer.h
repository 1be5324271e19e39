// Looks at the topics of a root without joining any, for people and tools: who is there, how far publishers and
// subscribers have come, what memory they take, what the dead left.
//
//   auto observer = Observer::open(place->root);
//   for (const ObservedTopic& topic : observer->topics()) …
//
// It makes, changes, locks and maps nothing. All is read with pread(2) into memory of its own, so a file that is cut
// short while it is read, or was scribbled on, gives a wrong number or is left out, never a SIGBUS; no count that comes
// from a file is trusted beyond the limits of layout.h. Whoever it looks at does not notice.
//
// What it says may be old by the time it is read, and is no snapshot: each word is read at a moment of its own.
// Thread-compatible.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "transport/membership.h"
#include "transport/qos.h"
#include "transport/shm/clock.h"
#include "transport/shm/file.h"
#include "transport/shm/layout.h"
#include "transport/shm/names.h"
#include "transport/status.h"

namespace weir::shm {

// How a member is, as its lock and its stage tell.
enum class Condition : std::uint8_t {
  alive,
  away,  // durable, and nobody has it now: its place is kept
  dead,  // its process ended without leaving, and what it left is still there
};
[[nodiscard]] std::string_view to_string(Condition condition) noexcept;

// What both roles have.
struct ObservedMember {
  Peer peer;
  Condition condition = Condition::alive;
  bool durable = false;
  // Nobody holds a lock on it: a janitor may take it away, if it is not durable.
  bool removable = false;
  std::optional<TypeInfo> type = {};
  std::uint64_t depth = 0;
  std::uint64_t history = 0;
  std::uint64_t memory = 0;  // bytes that its files take
};

struct ObservedPublisher : ObservedMember {
  Grant grant = Grant::drop;
  bool waits = false;                                              // for a lossless subscriber, now
  std::uint64_t published = 0;                                     // messages so far: the next sequence
  std::uint64_t sampled = 0;                                       // of the newest messages, so many were looked at
  std::uint64_t sampled_bytes = 0;                                 // and had so many bytes of payload together
  std::optional<std::chrono::steady_clock::time_point> last = {};  // when the newest was published
};

// A subscriber's place in one publisher's stream.
struct ObservedCursor {
  PeerId publisher = 0;
  std::uint64_t next = 0;  // the first sequence that it has not taken or lost yet
};

struct ObservedSubscriber : ObservedMember {
  SlowPolicy policy = SlowPolicy::drop_oldest;
  bool adapts = false;     // it takes what a publisher grants
  std::uint64_t held = 0;  // messages that it has in hand
  std::vector<ObservedCursor> cursors = {};
};

struct ObservedTopic {
  std::string topic;
  std::string directory;      // its name below the root
  std::uint32_t version = 0;  // of its layout: all below is empty if it is not layout_version
  std::string problem = {};   // why it cannot be read, in one sentence; empty if it can
  bool in_use = false;        // somebody holds the users' lock
  std::uint64_t memory = 0;   // bytes that all files in its directory take
  std::uint64_t files = 0;
  std::vector<ObservedPublisher> publishers = {};
  std::vector<ObservedSubscriber> subscribers = {};
};

// A directory of another layout version beside this root.
struct OtherLayout {
  std::string name;  // "v2"
  std::uint64_t topics = 0;
};

class Observer {
 public:
  // Opens the directory that holds the topics (Place::root), and does not make it. Errors: not_found,
  // permission_denied, each naming it; as open_file.
  [[nodiscard]] static Result<Observer> open(const std::string& root);

  // All topics, sorted by name. Directories that are none of ours are left out; topics that fail their checks are in,
  // with `problem`.
  [[nodiscard]] std::vector<ObservedTopic> topics() const;

  // One of them, by the name of its directory (Place::name). Empty if there is none.
  [[nodiscard]] std::optional<ObservedTopic> topic(const std::string& name) const;

  // Directories of other layout versions; meaningless for the root of an absolute topic.
  [[nodiscard]] std::vector<OtherLayout> other_layouts() const;

 private:
  Observer(std::string path, File root) : path_(std::move(path)), root_(std::move(root)) {}

  std::string path_;
  File root_;
};

// How many samples of this publisher the subscriber has not taken; and how many of them are lost to it already, as its
// queue is shorter.
struct Backlog {
  std::uint64_t unread = 0;
  std::uint64_t overrun = 0;
};
[[nodiscard]] Backlog backlog_of(const ObservedSubscriber& subscriber, const ObservedPublisher& publisher) noexcept;

}  // namespace weir::shm
