#include "transport/wait_set.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "transport/guard.h"

namespace weir {
namespace {

// epoll(7) goes round, so who does not fit into one report comes in the next.
constexpr int tags_at_once = 64;

tl::unexpected<Error> system_failure(std::string_view what, int fault) {
  const bool exhausted = fault == EMFILE || fault == ENFILE || fault == ENOMEM || fault == ENOSPC;
  return failure(exhausted ? ErrorCode::resource_exhausted : ErrorCode::internal,
                 fmt::format("wait set: {}: {}{}", what, std::strerror(fault),
                             exhausted ? ": raise the limit (ulimit -n) or close something" : ""));
}

// Milliseconds for epoll_wait(2), rounded up; -1 for no deadline.
int milliseconds_until(Deadline deadline) {
  if (deadline == never) return -1;
  const auto now = std::chrono::steady_clock::now();
  if (deadline == at_once || deadline <= now) return 0;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
  return static_cast<int>(std::min<std::int64_t>(left, std::numeric_limits<int>::max()));
}

}  // namespace

Result<WaitSet> WaitSet::create() {
  return spi::guarded([]() -> Result<WaitSet> {
    spi::adopt_process();
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) return system_failure("epoll_create1", errno);
    WaitSet set(epoll, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (set.interrupt_ < 0) return system_failure("eventfd", errno);
    return set;
  });
}

WaitSet::WaitSet(WaitSet&& other) noexcept
    : epoll_(std::exchange(other.epoll_, -1)),
      interrupt_(std::exchange(other.interrupt_, -1)),
      process_(other.process_) {}

WaitSet& WaitSet::operator=(WaitSet&& other) noexcept {
  std::swap(epoll_, other.epoll_);
  std::swap(interrupt_, other.interrupt_);
  std::swap(process_, other.process_);
  return *this;
}

WaitSet::~WaitSet() {
  if (epoll_ >= 0) ::close(epoll_);
  if (interrupt_ >= 0) ::close(interrupt_);
}

Status WaitSet::check_usable() const noexcept {
  if (epoll_ < 0) return tl::unexpected(spi::unusable(nullptr));  // moved from
  if (process_ != spi::process_generation()) return tl::unexpected(spi::forked());
  return {};
}

template <class Member>
Status WaitSet::add_member(Member& member, std::uint64_t tag) noexcept {
  return spi::guarded([&]() -> Status {
    if (Status usable = check_usable(); !usable) return usable;
    const Result<int> descriptor = member.fd();
    if (!descriptor) return tl::unexpected(descriptor.error());
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = tag;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, *descriptor, &event) == 0) return {};
    if (errno == EEXIST) {
      return failure(ErrorCode::invalid_argument,
                     fmt::format("endpoint \"{}\": it is in the wait set already and cannot have tag {} too: remove it "
                                 "first",
                                 spi::port_of(member)->endpoint_text, tag));
    }
    return system_failure("epoll_ctl", errno);
  });
}

template <class Member>
Status WaitSet::remove_member(Member& member) noexcept {
  return spi::guarded([&]() -> Status {
    if (Status usable = check_usable(); !usable) return usable;
    const Result<int> descriptor = member.fd();
    if (!descriptor) return tl::unexpected(descriptor.error());
    if (epoll_ctl(epoll_, EPOLL_CTL_DEL, *descriptor, nullptr) == 0) return {};
    if (errno == ENOENT) {
      return failure(ErrorCode::not_found, fmt::format("endpoint \"{}\": it is not in the wait set: add it first",
                                                       spi::port_of(member)->endpoint_text));
    }
    return system_failure("epoll_ctl", errno);
  });
}

Status WaitSet::add(Subscriber& subscriber, std::uint64_t tag) { return add_member(subscriber, tag); }
Status WaitSet::add(Publisher& publisher, std::uint64_t tag) { return add_member(publisher, tag); }
Status WaitSet::remove(Subscriber& subscriber) { return remove_member(subscriber); }
Status WaitSet::remove(Publisher& publisher) { return remove_member(publisher); }

Result<WaitSet::Ready> WaitSet::wait(Deadline deadline, const std::stop_token& stop) {
  if (Status usable = check_usable(); !usable) return tl::unexpected(usable.error());
  return spi::guarded([&]() -> Result<Ready> {
    // The eventfd is not in the epoll set, so that fd() never shows it and every tag is free for members.
    std::uint64_t count = 0;
    [[maybe_unused]] const auto drained = ::read(interrupt_, &count, sizeof(count));
    const std::stop_callback wake(stop, [this] {
      const std::uint64_t one = 1;
      [[maybe_unused]] const auto written = ::write(interrupt_, &one, sizeof(one));
    });
    while (true) {
      std::array<pollfd, 2> both{{{epoll_, POLLIN, 0}, {interrupt_, POLLIN, 0}}};
      const int polled = poll(both.data(), both.size(), milliseconds_until(deadline));
      if (polled < 0 && errno != EINTR) return system_failure("poll", errno);
      if (stop.stop_requested()) return Ready{.wake = Wake::interrupted, .tags = {}};
      std::array<epoll_event, tags_at_once> events{};
      const int count_ready = epoll_wait(epoll_, events.data(), tags_at_once, 0);
      if (count_ready < 0 && errno != EINTR) return system_failure("epoll_wait", errno);
      if (count_ready > 0) {
        Ready ready{.wake = Wake::ready, .tags = {}};
        for (const epoll_event& event : std::span(events).first(static_cast<std::size_t>(count_ready))) {
          ready.tags.push_back(event.data.u64);
        }
        return ready;
      }
      if (passed(deadline)) return Ready{.wake = Wake::deadline, .tags = {}};
    }
  });
}

}  // namespace weir
