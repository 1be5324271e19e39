#include "publisher.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "stop_signal.h"

namespace mqueue {

using weir::ErrorCode;
using weir::failure;

namespace {

// A loan is one piece of memory: payload, then header.
std::uint64_t bytes_of(const weir::spi::LoanRecord& record) { return record.token; }

bool write_all(int file, const std::byte* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(file, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

}  // namespace

Publisher::Publisher(Topic topic, const weir::PublisherQos& qos, const weir::Capabilities& promised)
    : topic_(std::move(topic)), memory_(qos.memory), promised_(promised) {}

void Publisher::close() noexcept {
  connections_.clear();
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  topic_.remove_directory_if_empty();
}

// Nobody ever holds it back.
weir::Result<weir::Wake> Publisher::wait(weir::Deadline /*deadline*/, const std::stop_token& stop) {
  return stop.stop_requested() ? weir::Wake::interrupted : weir::Wake::ready;
}

weir::Result<int> Publisher::fd() {
  if (descriptor_ < 0) descriptor_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (descriptor_ < 0) return failure(ErrorCode::resource_exhausted, "descriptors have run out: raise ulimit -n");
  return descriptor_;
}

weir::Result<std::optional<weir::MembershipEvent>> Publisher::next_event() {
  return failure(ErrorCode::unsupported, fmt::format("topic \"{}\": mq has no membership events", topic_.name()));
}
weir::Result<std::vector<weir::Peer>> Publisher::peers() {
  return failure(ErrorCode::unsupported, fmt::format("topic \"{}\": mq does not know peers by name", topic_.name()));
}

weir::Status Publisher::loan(const weir::spi::LoanRequest& request, weir::spi::LoanRecord& record) {
  const std::uint64_t bytes = request.size + request.header_size;
  if (bytes < request.size || bytes > memory_ - lent_) {
    return failure(
        bytes < request.size || bytes > memory_ ? ErrorCode::limit_exceeded : ErrorCode::resource_exhausted,
        fmt::format("topic \"{}\": {} bytes do not fit into memory={}, of which {} are lent: publish or drop "
                    "a loan, or raise that option",
                    topic_.name(), bytes, memory_, lent_));
  }
  constexpr std::size_t page = weir::spi::max_alignment;
  void* memory = bytes > (std::uint64_t{1} << 62U) ? nullptr : std::aligned_alloc(page, (bytes / page + 1) * page);
  if (memory == nullptr) {
    return failure(ErrorCode::resource_exhausted,
                   fmt::format("topic \"{}\": no memory for {} bytes", topic_.name(), bytes));
  }
  lent_ += bytes;
  record = {.payload = static_cast<std::byte*>(memory),
            .size = request.size,
            .header = static_cast<std::byte*>(memory) + request.size,
            .header_size = request.header_size,
            .token = bytes};
  return {};
}

void Publisher::drop(weir::spi::LoanRecord& record) noexcept {
  lent_ -= bytes_of(record);
  std::free(record.payload);
}

void Publisher::look_around() {
  const auto living = topic_.subscribers();
  const std::set<std::string> names(living.begin(), living.end());
  std::erase_if(connections_, [&](const auto& entry) { return !names.contains(entry.first); });
  for (const std::string& name : names) {
    if (connections_.contains(name)) continue;
    // One that has no queue yet has not joined yet.
    if (auto queue = Queue::open(queue_of(name))) connections_.emplace(name, Connection{.queue = std::move(*queue)});
  }
}

weir::Result<int> Publisher::write_file(const weir::spi::LoanRecord& record) const {
  const int file = ::open(topic_.path().c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file >= 0 && write_all(file, record.payload, record.size) && write_all(file, record.header, record.header_size)) {
    return file;
  }
  const int fault = errno;
  if (file >= 0) ::close(file);
  return failure(ErrorCode::resource_exhausted,
                 fmt::format("topic \"{}\": {} bytes cannot be written below {}: {}: make room there", topic_.name(),
                             record.size + record.header_size, topic_.path(), std::strerror(fault)));
}

weir::Result<std::uint64_t> Publisher::publish(weir::spi::LoanRecord& record,
                                               std::optional<weir::Deadline> /*deadline*/) {
  Message message{.publisher = id_,
                  .sequence = next_,
                  .time = std::chrono::steady_clock::now().time_since_epoch().count(),
                  .size = record.size,
                  .header_size = record.header_size,
                  .bytes = {}};
  look_around();
  int file = -1;
  if (!message.in_file()) {
    if (record.size > 0) std::memcpy(message.bytes.data(), record.payload, record.size);
    if (record.header_size > 0) std::memcpy(message.bytes.data() + record.size, record.header, record.header_size);
  } else if (!connections_.empty()) {
    const weir::Result<int> written = write_file(record);
    if (!written) return tl::unexpected(written.error());
    file = *written;
  }
  const auto file_of = [&](const std::string& subscriber) {
    return fmt::format("{}/{}.{:x}.{}", topic_.path(), subscriber, id_, next_);
  };
  // All names before any message: a file whose last name is gone gets no other.
  for (const auto& [subscriber, connection] : connections_) {
    if (file < 0) break;
    linkat(AT_FDCWD, fmt::format("/proc/self/fd/{}", file).c_str(), AT_FDCWD, file_of(subscriber).c_str(),
           AT_SYMLINK_FOLLOW);
  }
  for (auto& [subscriber, connection] : connections_) {
    const bool sent = connection.behind ? connection.queue.send(message) : connection.queue.send_patiently(message);
    connection.behind = !sent;
    if (!sent && file >= 0) ::unlink(file_of(subscriber).c_str());  // the next one that arrives announces it
  }
  if (file >= 0) ::close(file);
  drop(record);
  return next_++;
}

weir::Status Publisher::wait_for_subscribers(std::uint64_t count, weir::Deadline deadline,
                                             const std::stop_token& stop) {
  const StopSignal signal(stop);
  const int changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  const auto ended = [&](weir::Status status) {
    ::close(changes);
    return status;
  };
  while (true) {
    topic_.make_directory();
    // A subscriber touches its file when its queue is there. A directory that is removed is watched anew.
    inotify_add_watch(changes, topic_.path().c_str(), IN_ATTRIB | IN_CREATE | IN_DELETE_SELF);
    look_around();
    if (stop.stop_requested()) {
      return ended(
          failure(ErrorCode::interrupted,
                  fmt::format("topic \"{}\": {} of {} subscribers have joined and the stop token was triggered",
                              topic_.name(), connections_.size(), count)));
    }
    if (connections_.size() >= count) return ended({});
    if (weir::passed(deadline)) {
      return ended(failure(ErrorCode::timed_out,
                           fmt::format("topic \"{}\": {} of {} subscribers have joined at the deadline: start them, or "
                                       "wait longer",
                                       topic_.name(), connections_.size(), count)));
    }
    pollfd polled[] = {{changes, POLLIN, 0}, {signal.descriptor(), POLLIN, 0}};
    poll(polled, 2, milliseconds_until(deadline));
    char events[4096];
    while (::read(changes, events, sizeof(events)) > 0) {
    }
  }
}

}  // namespace mqueue
