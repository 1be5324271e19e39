// One way of a bridge: takes from one endpoint, publishes on another, whatever their backends. One copy for a message:
// from the sample that the one side shows into the loan that the other side sends.
//
//   auto route = weir::bridge::Route::open(node, {.from = "iceoryx://Radar/Left/Object", .to = "zmq+ipc:///tmp/radar"},
//   say);
//   (*route)->run(stop);          // until then; on a thread of its own
//
// What the one side says about slow subscribers holds on each side: `policy` and `depth` of `from`, `grant` of `to`.
// With policy=lossless, grant=block and WhenFull::block the slowest subscriber behind the bridge holds the publishers
// before it back, and nothing is lost between them.
//
// When a side is gone (a RouDi that died, say) it is opened anew until it is there again; a message in hand is kept and
// carried then. Meanwhile the other is let go of too if its backend is gone, for the backend's runtime may be one for
// the process, and what has come is kept as copies. Whatever is lost is counted and announced: by the side that it came
// from, by the bridge, or because a side was away.
//
// Thread safety: run() by one thread; counts() and idle() by any.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "transport/node.h"

namespace weir::bridge {

// When a subscriber behind the bridge has no room, and `to` does not drop by itself (grant=drop).
enum class WhenFull : std::uint8_t {
  block,  // wait: so the queue before the bridge fills up, and what `from` says about that holds
  drop,   // pass the message over, counted
};

struct RouteOptions {
  std::string from;  // URI that a subscriber could open
  std::string to;    // URI that a publisher could open
  WhenFull when_full = WhenFull::block;
};

struct Counts {
  std::uint64_t carried = 0;
  std::uint64_t bytes = 0;    // of payload, of what was carried
  std::uint64_t lost = 0;     // announced by `from`: they never reached the bridge
  std::uint64_t dropped = 0;  // as `to` was full, or the bridge ended
  std::uint64_t unfit = 0;    // that `to` cannot carry: too large, or a user header where there is none
  std::uint64_t returns = 0;  // of a side that was gone
};

// Where a route says, in one sentence, what a person has to know: each loss, and sides that go and come back. Called on
// the route's thread.
using Announce = std::function<void(const std::string& sentence)>;

class Route {
 public:
  // Opens both sides. Errors: those of Node::subscriber and Node::publisher, but for `unavailable`: run() tries again.
  [[nodiscard]] static Result<std::unique_ptr<Route>> open(Node& node, RouteOptions options, Announce announce);
  Route(const Route&) = delete;
  Route& operator=(const Route&) = delete;
  ~Route() = default;

  // Carries until the stop token is triggered, and then what has come already.
  void run(const std::stop_token& stop);
  // Whether nothing waited to be carried when it last looked.
  [[nodiscard]] bool idle() const noexcept { return idle_.load(std::memory_order_relaxed); }

  [[nodiscard]] Counts counts() const noexcept;
  [[nodiscard]] const RouteOptions& options() const noexcept { return options_; }

 private:
  Route(Node& node, RouteOptions options, Announce announce);

  using Bytes = std::span<const std::byte>;
  // A message whose sample was given back.
  struct Copy {
    std::vector<std::byte> payload;
    std::vector<std::byte> header;
  };
  // What became of the message in hand.
  enum class Fate : std::uint8_t { done, side_gone };

  Status open_from();
  Status open_to();
  // Both sides, tried again and again. False: stopped.
  bool open_sides(const std::stop_token& stop);
  template <class Side>
  void lose(std::optional<Side>& side, const std::string& uri, const Error& error);
  // Loses the side that is there if it is gone too: as long as it is held, the other may not be opened anew.
  void look_at_sides();
  // Takes what has come, and gives it back.
  void keep_copies();
  // Takes the next message, if none is in hand. False: there is none.
  bool take();
  [[nodiscard]] bool has_message() { return !kept_.empty() || take(); }
  // Carries what there is; then looks whether both sides are still there.
  void carry_all(const std::stop_token& stop);
  // The next message, of which there is one.
  Fate carry_next(const std::stop_token& stop);
  Fate carry(Bytes payload, Bytes header, const std::stop_token& stop);
  void discard_next();
  // Publishes the loan, or waits, or passes it over.
  Fate publish(Loan& loan, const std::stop_token& stop);
  Fate pass_over(const Error& error);
  void note_carried(std::size_t bytes);
  void note_loss(const Sample& sample);
  void note_drops();
  // What has come until it was stopped: carried, or counted as left behind.
  void finish(const std::stop_token& stop);

  Node& node_;
  const RouteOptions options_;
  const Announce announce_;
  std::optional<Subscriber> from_;
  std::optional<Publisher> to_;
  std::deque<Copy> kept_;  // before the one in hand
  Sample in_hand_;         // kept while `to` is gone
  std::uint64_t drops_in_a_row_ = 0;
  bool waiting_ = false;  // it was said that a side is waited for
  std::atomic<bool> idle_{false};

  struct {
    std::atomic<std::uint64_t> carried{0}, bytes{0}, lost{0}, dropped{0}, unfit{0}, returns{0};
  } counts_;
};

}  // namespace weir::bridge
