#include "adapters/zeromq/waiter.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <optional>

namespace weir::zeromq {
namespace {

// Empty for no deadline.
std::optional<timespec> time_left(Deadline deadline) {
  if (deadline == never) return std::nullopt;
  const auto now = std::chrono::steady_clock::now();
  if (deadline <= now) return timespec{};
  const auto left = std::chrono::nanoseconds(deadline - now);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  return timespec{.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
}

}  // namespace

Status Waiter::make_interrupt() {
  if (interrupt_ < 0) interrupt_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (interrupt_ < 0) return socket_failure(endpoint_, "eventfd", errno);
  clear(interrupt_);
  return {};
}

Status Waiter::sleep(Deadline deadline, int interrupt) const {
  std::array<pollfd, 2> both{{{mailbox_, POLLIN, 0}, {interrupt, POLLIN, 0}}};  // a descriptor of -1 is passed over
  const auto left = time_left(deadline);
  if (ppoll(both.data(), both.size(), left ? &*left : nullptr, nullptr) < 0 && errno != EINTR) {
    return socket_failure(endpoint_, "ppoll", errno);
  }
  return {};
}

bool Waiter::stirs() const noexcept {
  pollfd one{mailbox_, POLLIN, 0};
  return ::poll(&one, 1, 0) > 0;
}

Result<int> Waiter::fd() {
  if (set_ >= 0) return set_;
  const int left = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const int set = left < 0 ? -1 : epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  const bool made = set >= 0 && epoll_ctl(set, EPOLL_CTL_ADD, left, &event) == 0 &&
                    epoll_ctl(set, EPOLL_CTL_ADD, mailbox_, &event) == 0;
  if (!made) {
    const int fault = errno;
    if (left >= 0) ::close(left);
    if (set >= 0) ::close(set);
    return socket_failure(endpoint_, "making a descriptor for event loops", fault);
  }
  left_ = left;
  set_ = set;
  hidden_ = true;
  return set_;
}

void Waiter::change(bool readable) noexcept {
  shown_ = readable;
  hidden_ = !readable;
  readable ? set(left_) : clear(left_);
}

void Waiter::close() noexcept {
  for (int* descriptor : {&set_, &left_, &interrupt_}) {
    if (*descriptor >= 0) ::close(*descriptor);
    *descriptor = -1;
  }
  shown_ = hidden_ = false;
}

void Waiter::set(int event) noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(event, &one, sizeof(one));
}

void Waiter::clear(int event) noexcept {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto read = ::read(event, &count, sizeof(count));
}

}  // namespace weir::zeromq
