// How a port waits on a ZeroMQ socket, in a call or in an event loop.
//
// The descriptor of a ZeroMQ socket (ZMQ_FD) is readable while there is something in its mailbox, which is not the same
// as a message: any call may empty the mailbox and leave messages. So a wait asks first and sleeps only when the
// mailbox has been emptied to no avail; and the descriptor for event loops is an epoll set of ZMQ_FD and an event
// descriptor that is set whenever a call leaves something behind.
//
// Thread safety: that of the port.
#pragma once

#include <cerrno>
#include <cstdint>
#include <stop_token>
#include <string>
#include <utility>

#include "adapters/zeromq/failure.h"
#include "transport/deadline.h"
#include "transport/status.h"

namespace weir::zeromq {

class Waiter {
 public:
  // `mailbox` is the ZMQ_FD of the socket; `endpoint` is for messages.
  Waiter(int mailbox, std::string endpoint) : mailbox_(mailbox), endpoint_(std::move(endpoint)) {}
  // Before anything was asked of the other one: it has no descriptors then.
  Waiter(Waiter&& other) noexcept : Waiter(other.mailbox_, std::move(other.endpoint_)) {}
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() { close(); }

  // Sleeps until `ready` holds. Each look must empty the mailbox, as zmq_getsockopt(ZMQ_EVENTS) does, or no sleep ends.
  template <class Ready>
  Result<Wake> wait(Deadline deadline, const std::stop_token& stop, Ready ready) {
    if (stop.stop_requested()) return Wake::interrupted;
    if (deadline == at_once) return ready() ? Wake::ready : Wake::deadline;
    if (!stop.stop_possible()) return sleep_until(deadline, stop, ready, -1);
    if (Status made = make_interrupt(); !made) return tl::unexpected(made.error());
    const std::stop_callback wake(stop, [this] { set(interrupt_); });
    return sleep_until(deadline, stop, ready, interrupt_);
  }

  // Whether something is in the mailbox now.
  [[nodiscard]] bool stirs() const noexcept;

  // The descriptor for event loops; there is none before the first call. show() must follow. Errors:
  // resource_exhausted.
  [[nodiscard]] Result<int> fd();
  // Whether it is readable from here on whatever the mailbox has.
  void show(bool readable) noexcept {
    if (readable ? hidden_ : shown_) [[unlikely]]
      change(readable);
  }
  // Whether show(true) would change anything.
  [[nodiscard]] bool is_hidden() const noexcept { return hidden_; }

  // Closes the descriptors.
  void close() noexcept;

 private:
  template <class Ready>
  Result<Wake> sleep_until(Deadline deadline, const std::stop_token& stop, Ready ready, int interrupt) {
    while (!ready()) {
      if (passed(deadline)) return Wake::deadline;
      if (Status slept = sleep(deadline, interrupt); !slept) return tl::unexpected(slept.error());
      if (stop.stop_requested()) return Wake::interrupted;
    }
    return Wake::ready;
  }

  Status make_interrupt();
  Status sleep(Deadline deadline, int interrupt) const;
  void change(bool readable) noexcept;
  static void set(int event) noexcept;
  static void clear(int event) noexcept;

  const int mailbox_;
  std::string endpoint_;
  int interrupt_ = -1;   // set by stop tokens
  int set_ = -1;         // of mailbox_ and left_
  int left_ = -1;        // set while shown_
  bool shown_ = false;   // there is a descriptor for event loops, and it is readable
  bool hidden_ = false;  // there is one, and it is not
};

}  // namespace weir::zeromq
