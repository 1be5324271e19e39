#include "transport/shm/doorbell.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <ctime>
#include <utility>

#include <fmt/format.h>

namespace weir::shm {
namespace {

constexpr char token = 1;

void put(int fifo) noexcept {
  // EAGAIN: it is full, so its owner's descriptor is readable anyway.
  [[maybe_unused]] const auto written = ::write(fifo, &token, sizeof(token));
}

}  // namespace

void ring(Word<std::uint32_t>& bell) noexcept {
  bell.fetch_add(1, std::memory_order_seq_cst);
  syscall(SYS_futex, &bell, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

bool sleep_on(const Word<std::uint32_t>& bell, std::uint32_t seen, Deadline deadline,
              std::chrono::nanoseconds slice) noexcept {
  std::chrono::nanoseconds wait = slice;
  if (deadline != never) {
    if (deadline == at_once) {
      return true;
    }
    wait = std::min(wait, std::chrono::nanoseconds(deadline - std::chrono::steady_clock::now()));
    if (wait.count() <= 0) {
      return true;
    }
  }
  constexpr std::int64_t second = 1'000'000'000;
  const timespec relative{.tv_sec = wait.count() / second, .tv_nsec = wait.count() % second};
  return syscall(SYS_futex, &bell, FUTEX_WAIT, seen, &relative, nullptr, 0) != 0 && errno == ETIMEDOUT;
}

Result<TokenFifo> TokenFifo::make(const TopicDirectory& topic, const std::string& name, std::string_view what) {
  if (mkfifoat(topic.descriptor(), name.c_str(), S_IRUSR | S_IWUSR) != 0 && errno != EEXIST) {
    return tl::unexpected(system_error(what, errno));
  }
  Result<File> fifo = open_file(topic.descriptor(), name, O_RDWR, what);
  if (!fifo) {
    return tl::unexpected(fifo.error());
  }
  if (Status opened = open_to(topic.audience(), GroupMay::read_and_write, *fifo, what); !opened) {
    return tl::unexpected(opened.error());
  }
  return TokenFifo(std::move(*fifo));
}

void TokenFifo::drain() noexcept {
  std::array<char, 256> tokens{};
  while (::read(fifo_.get(), tokens.data(), tokens.size()) == static_cast<ssize_t>(tokens.size())) {
  }
}

void TokenFifo::write() noexcept { put(fifo_.get()); }

void put_token(const File& fifo) noexcept { put(fifo.get()); }

WatchedLife::~WatchedLife() {
  if (fifo_) epoll_ctl(epoll_, EPOLL_CTL_DEL, fifo_.get(), nullptr);
}

WatchedLife watch_life(int directory, SegmentName owner, int epoll) {
  Result<File> fifo = open_file(directory, life_name(owner.role, owner.id), O_RDONLY, "watching");
  if (!fifo) {
    return {};
  }
  epoll_event event{};
  event.data.u64 = owner.id;  // a hang-up is reported without being asked for
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fifo->get(), &event) != 0) {
    return {};
  }
  return {std::move(*fifo), epoll};
}

bool is_replaced(int directory, SegmentName owner, const WatchedLife& life) {
  return life && is_durable(owner.id) && !leads_to(directory, life_name(owner.role, owner.id), life.fifo());
}

}  // namespace weir::shm
