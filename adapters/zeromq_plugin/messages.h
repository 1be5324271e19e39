// What zmq_msg_t lacks.
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "adapters/zeromq_plugin/frames.h"
#include "adapters/zeromq_plugin/libzmq.h"

namespace weir::zmq_plugin {

// Says in a message that more frames follow, as libzmq does in those that it has received. libzmq has no function for
// it, so the place is found out once: it is where a copy leaves its mark. Before a frame is given out: 0, or why it
// could not be marked, ENOMEM or ENOTSUP.
[[nodiscard]] int prepare_to_mark_more() noexcept;
// After that.
void mark_more(zmq_msg_t& message) noexcept;

[[nodiscard]] Frame frame_of(zmq_msg_t& message) noexcept;

// The size of a frame as libzmq's functions return it: at most what an int holds.
[[nodiscard]] constexpr int told(std::size_t size) noexcept {
  return static_cast<int>(std::min<std::size_t>(size, std::numeric_limits<int>::max()));
}

// The frames of a message that an application sends one by one.
class Parts {
 public:
  Parts() = default;
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;
  ~Parts() { clear(); }

  [[nodiscard]] bool empty() const noexcept { return messages_.empty(); }
  // Takes what is in `message`, which is empty then; or copies. False: no memory.
  [[nodiscard]] bool take(zmq_msg_t& message);
  [[nodiscard]] bool copy(Frame frame);
  // Views of all, and of `last` behind them; until the next call.
  [[nodiscard]] std::span<const Frame> with(Frame last);
  void clear() noexcept;

 private:
  std::vector<zmq_msg_t> messages_;  // moved by libzmq's function only
  std::vector<Frame> frames_;
};

}  // namespace weir::zmq_plugin
