// Waits for many publishers and subscribers, of any backends, at once.
//
//   auto set = weir::WaitSet::create();
//   set->add(camera, 1);
//   set->add(lidar, 2);
//   auto ready = set->wait(weir::after(std::chrono::seconds(1)));
//   for (std::uint64_t tag : ready->tags) { … take until empty … }
//
// Built on fd() and epoll(7), so level-triggered: who is not drained is reported again, and a report without cause is
// allowed. Thread-compatible. A member must be removed before it is destroyed. In a forked child every call that
// returns a result returns `forked`.
#pragma once

#include <cstdint>
#include <stop_token>
#include <vector>

#include "transport/deadline.h"
#include "transport/process.h"
#include "transport/publisher.h"
#include "transport/status.h"
#include "transport/subscriber.h"

namespace weir {

class WaitSet {
 public:
  // Errors: resource_exhausted when descriptors have run out.
  [[nodiscard]] static Result<WaitSet> create();

  WaitSet(WaitSet&& other) noexcept;
  WaitSet& operator=(WaitSet&& other) noexcept;
  WaitSet(const WaitSet&) = delete;
  WaitSet& operator=(const WaitSet&) = delete;
  ~WaitSet();

  // Adds a member; `tag` comes back from wait(). Errors: those of fd(); invalid_argument if it is in the set.
  [[nodiscard]] Status add(Subscriber& subscriber, std::uint64_t tag);
  [[nodiscard]] Status add(Publisher& publisher, std::uint64_t tag);
  // Errors: not_found.
  [[nodiscard]] Status remove(Subscriber& subscriber);
  [[nodiscard]] Status remove(Publisher& publisher);

  struct Ready {
    Wake wake = Wake::deadline;
    std::vector<std::uint64_t> tags;  // of the members that may be ready; empty unless wake is `ready`
  };
  // Errors: closed for a set that was moved from; forked; resource_exhausted.
  [[nodiscard]] Result<Ready> wait(Deadline deadline, const std::stop_token& stop = {});

  // Readable when wait() would return at once; to nest the set in another event loop.
  [[nodiscard]] int fd() const noexcept { return epoll_; }

 private:
  WaitSet(int epoll, int interrupt) : epoll_(epoll), interrupt_(interrupt), process_(spi::process_generation()) {}
  // What both kinds of members have in common.
  template <class Member>
  Status add_member(Member& member, std::uint64_t tag) noexcept;
  template <class Member>
  Status remove_member(Member& member) noexcept;
  // Errors: closed for a set that was moved from; forked.
  [[nodiscard]] Status check_usable() const noexcept;

  int epoll_ = -1;
  int interrupt_ = -1;         // an eventfd that the stop token writes to
  std::uint64_t process_ = 0;  // that made the set (process.h): a child shares both with it
};

}  // namespace weir
