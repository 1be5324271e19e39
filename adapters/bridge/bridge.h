// Bridges between transports: so an existing system moves one process at a time.
//
//   auto bridge = weir::bridge::Bridge::open(node, {{.from = "shm://camera/*", .to = "zmq+ipc:///tmp/camera-*"}}, say);
//   (*bridge)->run(stop);
//
// A rule is a route, or with one `*` in both topics many: each topic that the backend lists and that fits is carried,
// also those that appear later, to the target with what `*` stood for. Topics whose publishers are all gone are let go,
// once nothing of them waits any more.
//
// Each route runs on a thread of its own; a slow one keeps no other waiting. No two bridges carry in a circle, and none
// does what another does already: claim.h.
//
// Thread safety: run() by one thread; routes() by any.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "adapters/bridge/claim.h"
#include "adapters/bridge/route.h"

namespace weir::bridge {

// How often a bridge looks.
struct Pace {
  std::chrono::milliseconds listing{200};  // for topics
  std::chrono::milliseconds retry{5000};   // whether who was in the way of one has gone
};

class Bridge {
 public:
  using Rules = std::vector<RouteOptions>;

  // Errors: those of Claim::make and Route::open; resource_exhausted if there is no thread for a route;
  // invalid_argument for a `*` on one side alone or more than one, and for a pattern into itself; unsupported for a `*`
  // where the backend lists no topics.
  // `announce` is called by one thread at a time.
  [[nodiscard]] static Result<std::unique_ptr<Bridge>> open(Node& node, const Rules& rules, Announce announce,
                                                            Pace pace = {});
  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;
  ~Bridge();

  // Until the stop token is triggered and all routes have ended.
  void run(const std::stop_token& stop);

  struct State {
    RouteOptions options;
    Counts counts;
  };
  // The routes there are and were.
  [[nodiscard]] std::vector<State> routes() const;

 private:
  struct Running {
    Claim claim;
    std::unique_ptr<Route> route;
    std::jthread thread;
    int absent = 0;  // listings in which its topic had no publisher
  };

  Bridge(Node& node, Announce announce, Pace pace);
  Status start(const RouteOptions& options, const std::string& topic);
  // Starts routes for topics that have appeared, ends those whose topic is left.
  void discover(const RouteOptions& rule);
  void end(std::map<std::string, Running>::iterator route);

  Node& node_;
  std::mutex announcing_;
  const Announce announce_;
  const Pace pace_;
  Rules patterns_;
  // Topics that could not be carried, and it was said why; and when they are tried again.
  std::map<std::string, Deadline> refused_;
  mutable std::mutex lock_;  // of what follows
  std::map<std::string, Running> running_;
  std::vector<State> ended_;
};

// What a topic becomes when it fits the pattern: map_topic("a/*", "b-*", "a/1") is "b-1". Empty if it does not fit.
[[nodiscard]] std::string map_topic(std::string_view from, std::string_view to, std::string_view topic);

}  // namespace weir::bridge
