#include "adapters/zeromq_plugin/readiness.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <ctime>

#include "transport/deadline.h"

namespace weir::zmq_plugin {
namespace {

constexpr std::string_view attempt = "making a descriptor to wait on";
constexpr int most_events = 16;

void raise(const shm::File& counter) noexcept {
  const std::uint64_t one = 1;
  static_cast<void>(!write(counter.get(), &one, sizeof(one)));
}

}  // namespace

Result<Readiness> Readiness::make() {
  shm::File epoll(epoll_create1(EPOLL_CLOEXEC));
  shm::File ended(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  shm::File nudged(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll || !ended || !nudged) return tl::unexpected(shm::system_error(attempt, errno));
  Readiness readiness(std::move(epoll), std::move(ended), std::move(nudged));
  if (Status watched = readiness.watch(readiness.ended_.get(), true); !watched) return tl::unexpected(watched.error());
  if (Status watched = readiness.watch(readiness.nudged_.get(), false); !watched) {
    return tl::unexpected(watched.error());
  }
  return readiness;
}

Status Readiness::watch(int descriptor, bool level) {
  epoll_event event{};
  event.events = level ? EPOLLIN : EPOLLIN | EPOLLET;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) != 0 && errno != EEXIST) {
    return tl::unexpected(shm::system_error(attempt, errno));
  }
  return {};
}

bool Readiness::look() noexcept {
  std::array<epoll_event, most_events> events;
  return epoll_wait(epoll_.get(), events.data(), most_events, 0) > 0;
}

void Readiness::end() noexcept { raise(ended_); }
void Readiness::nudge() noexcept { raise(nudged_); }

Readiness::Woken Readiness::wait(std::chrono::steady_clock::time_point deadline) noexcept {
  std::array<epoll_event, most_events> events;
  int timeout = -1;
  if (deadline != never) {
    const auto left = deadline - std::chrono::steady_clock::now();
    // Rounded up, so that it is not asked again and again in the last millisecond.
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    timeout = static_cast<int>(std::clamp<long long>(milliseconds, 0, 1'000'000'000));
  }
  const int count = epoll_wait(epoll_.get(), events.data(), most_events, timeout);
  if (count > 0) return Woken::by_event;
  return count < 0 ? Woken::by_signal : Woken::by_deadline;
}

}  // namespace weir::zmq_plugin
