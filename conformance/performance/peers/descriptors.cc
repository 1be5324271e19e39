// Descriptors of the kernel: pipes, and Unix sockets as streams. Messages are
// written and read in full, without frames, since both sides know their size.
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "conformance/performance/failure.h"
#include "conformance/performance/loads/crew_for.h"

namespace weir::performance {
namespace {

// Two connected descriptors, made by the parent, inherited by all.
class Ends {
 public:
  explicit Ends(bool socket) {
    // Senders and receivers that spin do not wait in the kernel; messages above
    // what it holds are waited for all the same.
    if (socket ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends_.data()) != 0 : pipe(ends_.data()) != 0) {
      fail(fmt::format("making a {}: {}", socket ? "socket" : "pipe", std::strerror(errno)));
    }
    if (!socket) {
      constexpr int most_for_users = 1 << 20;
      fcntl(ends_[1], F_SETPIPE_SZ, most_for_users);
    }
  }
  Ends(Ends&& other) noexcept : ends_(std::exchange(other.ends_, {-1, -1})) {}
  Ends& operator=(Ends&&) = delete;
  ~Ends() {
    for (const int end : ends_) {
      if (end >= 0) {
        close(end);
      }
    }
  }
  [[nodiscard]] int to_read() const noexcept { return ends_[0]; }
  [[nodiscard]] int to_write() const noexcept { return ends_[1]; }

 private:
  std::array<int, 2> ends_{-1, -1};
};

class Descriptors {
 public:
  Descriptors(const Task& task, bool socket) : task_(task) {
    const bool one = task.load == Load::latency || task.load == Load::stream || task.load == Load::fan_in;
    for (std::uint64_t lane = 0; lane < (one ? 1 : task.others); ++lane) {
      there_.emplace_back(socket);
    }
    back_.emplace_back(socket);
    if (!task.blocking) {
      for (const Ends* ends : {&there_[0], &back_[0]}) {
        fcntl(ends->to_read(), F_SETFL, O_NONBLOCK);
        fcntl(ends->to_write(), F_SETFL, O_NONBLOCK);
      }
    }
  }

  class Sender {
   public:
    Sender(int descriptor, std::size_t size) : descriptor_(descriptor), buffer_(size) {}
    void await_receivers(std::uint64_t /*count*/) const noexcept {}
    template <class Fill>
    bool try_send(std::size_t size, Fill fill) {
      fill(std::span(buffer_));
      for (std::size_t at = 0; at < size;) {
        const ssize_t written = write(descriptor_, buffer_.data() + at, size - at);
        if (written < 0 && errno != EAGAIN && errno != EINTR) [[unlikely]] {
          fail(fmt::format("write: {}", std::strerror(errno)));
        }
        if (written < 0 && at == 0) {
          return false;
        }
        at += written > 0 ? static_cast<std::size_t>(written) : 0;
      }
      return true;
    }

   private:
    int descriptor_;
    std::vector<std::byte> buffer_;
  };

  class Receiver {
   public:
    Receiver(int descriptor, std::size_t size) : descriptor_(descriptor), buffer_(size) {}
    void wait() const noexcept {}
    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
    template <class Use>
    bool try_receive(Use use) {
      for (std::size_t at = 0; at < buffer_.size();) {
        const ssize_t got = read(descriptor_, buffer_.data() + at, buffer_.size() - at);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) [[unlikely]] {
          fail(fmt::format("read: {}", got == 0 ? "the other side has ended" : std::strerror(errno)));
        }
        if (got < 0 && at == 0) {
          return false;
        }
        at += got > 0 ? static_cast<std::size_t>(got) : 0;
      }
      use(std::span<const std::byte>(buffer_));
      return true;
    }

   private:
    int descriptor_;
    std::vector<std::byte> buffer_;
  };

  class Listener {
   public:
    explicit Listener(std::vector<Receiver> receivers)
        : receivers_(std::move(receivers)), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
      for (std::size_t at = 0; at < receivers_.size(); ++at) {
        epoll_event event{.events = EPOLLIN, .data = {.u64 = at}};
        if (epoll_ctl(epoll_, EPOLL_CTL_ADD, receivers_[at].descriptor(), &event) != 0) {
          fail(fmt::format("epoll_ctl: {}", std::strerror(errno)));
        }
      }
    }
    template <class Use>
    void receive(Use use) {
      epoll_event event{};
      while (epoll_wait(epoll_, &event, 1, -1) != 1) {
      }
      receivers_[event.data.u64].try_receive(use);
    }

   private:
    std::vector<Receiver> receivers_;
    int epoll_;  // for the life of the process
  };

  [[nodiscard]] Sender sender(Lane lane) const { return {ends(lane).to_write(), task_.message.size}; }
  [[nodiscard]] Receiver receiver(Lane lane) const { return {ends(lane).to_read(), task_.message.size}; }
  [[nodiscard]] Listener listener(std::uint64_t count) const {
    std::vector<Receiver> receivers;
    receivers.reserve(count);
    for (std::uint64_t lane = 0; lane < count; ++lane) {
      receivers.push_back(receiver({.index = lane}));
    }
    return Listener(std::move(receivers));
  }

 private:
  [[nodiscard]] const Ends& ends(Lane lane) const {
    return lane.direction == Direction::there ? there_.at(lane.index) : back_.front();
  }

  Task task_;
  std::vector<Ends> there_;
  std::vector<Ends> back_;
};

static_assert(ListeningCarrier<Descriptors>);

// Several senders can write one pipe, as what is below 4 KiB is written whole;
// a stream socket promises nothing.
constexpr Abilities abilities{
    .spins = true, .blocks = true, .streams = true, .fans_out = true, .fans_in = true, .listens = true};
constexpr Abilities socket_abilities{.spins = true, .blocks = true, .streams = true, .fans_out = true, .listens = true};

template <bool socket>
std::shared_ptr<const Descriptors> make(const Task& task) {
  return std::make_shared<const Descriptors>(task, socket);
}

const bool pipes = add_peer({.name = "pipe",
                             .rank = 30,
                             .what = "one for each receiver",
                             .abilities = abilities,
                             .crew = crews_by(make<false>, abilities)});
const bool sockets = add_peer({.name = "Unix socket",
                               .rank = 31,
                               .what = "SOCK_STREAM, one for each receiver",
                               .abilities = socket_abilities,
                               .crew = crews_by(make<true>, socket_abilities)});

}  // namespace
}  // namespace weir::performance
