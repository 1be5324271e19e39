// A random history: peers that join, leave, publish, take, hold, are slow, are stopped, are killed and come back, on a
// few topics, by turns and at once; afterwards the checkers judge what everybody saw.
//
// The script is made of the choices of one seed, before and whatever comes of it; what two peers do at once meets as
// the scheduler has it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "conformance/harness/peer.h"
#include "conformance/history/check.h"
#include "transport/capabilities.h"
#include "transport/qos.h"

namespace weir::conformance {

class RandomHistory {
 public:
  // What it needs of the test.
  struct Stage {
    Capabilities capabilities;
    std::function<ScriptedPeer&(std::string name)> peer;
    std::function<std::string(std::string_view topic, std::string_view options)> uri;
  };

  RandomHistory(Stage stage, std::uint64_t seed);

  // Performs it. Throws HarnessFailure for a call that failed and must not.
  void perform();
  // What was wrong. After perform().
  [[nodiscard]] Violations judge() const;
  // What was done, one line a step.
  [[nodiscard]] const std::string& script() const noexcept { return script_; }

 private:
  struct Topic {
    std::string name;
    bool lossless;  // whether its publishers let lossless subscribers join
    std::uint64_t history;
  };
  struct Member {
    std::size_t topic;
    std::size_t actor;  // number in actors_
    SlowPolicy policy = SlowPolicy::drop_oldest;
    bool open = true;
    ScriptedPeer* peer;
  };
  struct Publishing : Member {
    RemotePublisher port;
    bool reached_all = false;  // its last was accepted when all who are open at the end were there and had room
  };
  struct Subscribing : Member {
    RemoteSubscriber port;
    std::uint64_t held = 0;  // at most: as many as it was told to, so that what came does not change the script
  };
  enum class Busy { no, publishing, receiving };
  struct Actor {
    ScriptedPeer* peer;
    Busy busy = Busy::no;
    bool stopped = false;
  };

  std::uint64_t below(std::uint64_t count) {
    return std::uniform_int_distribution<std::uint64_t>(0, count - 1)(engine_);
  }
  void note(std::string line);
  void step();
  void settle(std::size_t actor);
  void start(std::size_t actor);
  void join_publisher(std::size_t actor);
  void join_subscriber(std::size_t actor);
  void leave(std::size_t actor);
  void publish(std::size_t actor, bool at_once);
  void take(std::size_t actor);
  void hold_or_release(std::size_t actor);
  void receive(std::size_t actor);
  void stop_or_go_on(std::size_t actor);
  void kill(std::size_t actor);
  void take_all(std::size_t topic);
  template <class Members>
  auto open_member(Members& members, std::size_t actor) -> decltype(&members.front());

  Stage stage_;
  std::mt19937_64 engine_;
  std::vector<Topic> topics_;
  std::vector<Actor> actors_;
  std::uint64_t lives_ = 0;
  std::deque<Publishing> publishers_;
  std::deque<Subscribing> subscribers_;
  std::string script_;
};

}  // namespace weir::conformance
