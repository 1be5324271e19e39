// The peers that this program was built with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conformance/performance/crew.h"
#include "conformance/performance/task.h"

namespace weir::performance {

enum class Kind : std::uint8_t { floor, weir, native };

// What a peer can be asked to do.
struct Abilities {
  bool spins = false;                  // fit to be looked at again and again: no other thread
                                       // has to run for a message to come
  bool blocks = false;                 // its receivers can sleep
  bool streams = false;                // can hold a sender back, so that nothing is lost
  bool fans_out = false;               // many receivers, by one lane or by many
  bool broadcasts = false;             // one message on one lane reaches all of them
  bool fans_in = false;                // many senders on one lane
  bool deepens = false;                // its queues can be told to hold more than usual_most_queued messages
  bool drops = false;                  // receivers that take nothing do not hold the sender back
  bool recovers = false;               // notices that a receiver that held it back is dead
  bool listens = false;                // a receiver can wait for many lanes at once
  bool threads = false;                // connects threads of a process, not processes
  bool has_threads = false;            // of its own, so a processor each is not enough for two processes
  std::size_t most = ~std::size_t{0};  // bytes of a message
};

struct Peer {
  std::string name;  // "shm", "libzmq ipc"
  Kind kind = Kind::native;
  int rank = 0;           // place in tables
  std::string what = {};  // for people: a line about how it is used
  Abilities abilities = {};
  std::function<Crew(const Task&)> crew;  // for a task that it carries
  // Gives a crew that was made elsewhere what this peer's processes need around them, such as a daemon. Throws Failure.
  std::function<void(Crew&)> surround = {};
  // Why it cannot be measured on this machine; empty if it can.
  std::function<std::string()> hindrance = {};
};

[[nodiscard]] bool carries(const Abilities& abilities, const Task& task) noexcept;

// A peer's file adds it: `const bool added = add_peer({…});` at namespace
// scope, in a library that is always linked.
bool add_peer(Peer peer);

// All of them, in the order of their ranks.
[[nodiscard]] const std::vector<Peer>& peers();

}  // namespace weir::performance
