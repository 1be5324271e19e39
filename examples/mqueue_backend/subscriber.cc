#include "subscriber.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "stop_signal.h"

namespace mqueue {

using weir::ErrorCode;
using weir::failure;

Subscriber::Subscriber(Topic topic, const weir::SubscriberQos& qos, const weir::Capabilities& promised)
    : topic_(std::move(topic)), qos_(qos), promised_(promised), name_(fmt::format("{:016x}", id_)) {}

weir::Result<std::unique_ptr<weir::spi::SubscriberPort>> Subscriber::join(Topic topic, const weir::SubscriberQos& qos,
                                                                          const weir::Capabilities& promised) {
  std::unique_ptr<Subscriber> subscriber(new Subscriber(std::move(topic), qos, promised));
  if (weir::Status begun = subscriber->begin(); !begun) return tl::unexpected(begun.error());
  return subscriber;
}

weir::Status Subscriber::begin() {
  const weir::Result<int> life = topic_.enter(name_);
  if (!life) return tl::unexpected(life.error());
  life_ = *life;
  queue_ = Queue::create(queue_of(name_));
  filled_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  ended_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  readable_ = epoll_create1(EPOLL_CLOEXEC);
  if (!queue_ || filled_ < 0 || ended_ < 0 || readable_ < 0) {
    return failure(ErrorCode::resource_exhausted,
                   fmt::format("topic \"{}\": no queue or descriptor: {}: see ulimit -q and ulimit -n", topic_.name(),
                               std::strerror(errno)));
  }
  for (const int descriptor : {queue_->descriptor(), filled_}) {
    epoll_event event{};
    event.events = EPOLLIN;
    epoll_ctl(readable_, EPOLL_CTL_ADD, descriptor, &event);
  }
  thread_ = std::thread([this] { run(); });
  futimens(life_, nullptr);  // publishers that wait for subscribers look again
  return {};
}

void Subscriber::close() noexcept {
  if (life_ < 0) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(ended_, &one, sizeof(one));
  if (thread_.joinable()) thread_.join();
  queue_.reset();
  for (int* descriptor : {&filled_, &ended_, &readable_}) {
    if (*descriptor >= 0) ::close(std::exchange(*descriptor, -1));
  }
  topic_.leave(name_, std::exchange(life_, -1));
}

void Subscriber::run() noexcept {
  pollfd polled[] = {{queue_->descriptor(), POLLIN, 0}, {ended_, POLLIN, 0}};
  while (true) {
    poll(polled, 2, -1);
    if (polled[1].revents != 0) return;
    const std::lock_guard<std::mutex> lock(lock_);
    drain();
  }
}

void Subscriber::drain() {
  // At no moment is there something that neither the queue's descriptor nor this one shows.
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(filled_, &one, sizeof(one));
  Message message;
  while (queue_->receive(message)) {
    Inbox& inbox = inboxes_[message.publisher];
    if (!std::exchange(inbox.known, true)) inbox.expected = message.sequence;
    inbox.unread.push_back(message);
    if (inbox.unread.size() <= qos_.depth) continue;
    const bool newest = qos_.policy == weir::SlowPolicy::drop_newest;
    const Message& dropped = newest ? inbox.unread.back() : inbox.unread.front();
    if (dropped.in_file()) ::unlink(file_of(dropped).c_str());
    newest ? inbox.unread.pop_back() : inbox.unread.pop_front();
  }
  show();
}

bool Subscriber::show() noexcept {
  const bool any =
      std::any_of(inboxes_.begin(), inboxes_.end(), [](const auto& entry) { return !entry.second.unread.empty(); });
  std::uint64_t value = 1;
  [[maybe_unused]] const auto done =
      any ? ::write(filled_, &value, sizeof(value)) : ::read(filled_, &value, sizeof(value));
  return any;
}

weir::Result<weir::Wake> Subscriber::wait(weir::Deadline deadline, const std::stop_token& stop) {
  const StopSignal signal(stop);
  while (true) {
    if (stop.stop_requested()) return weir::Wake::interrupted;
    {
      const std::lock_guard<std::mutex> lock(lock_);
      drain();
      if (show()) return weir::Wake::ready;
    }
    if (weir::passed(deadline)) return weir::Wake::deadline;
    pollfd polled[] = {{readable_, POLLIN, 0}, {signal.descriptor(), POLLIN, 0}};
    poll(polled, 2, milliseconds_until(deadline));
  }
}

weir::Result<std::optional<weir::MembershipEvent>> Subscriber::next_event() {
  return failure(ErrorCode::unsupported, fmt::format("topic \"{}\": mq has no membership events", topic_.name()));
}
weir::Result<std::vector<weir::Peer>> Subscriber::peers() {
  return failure(ErrorCode::unsupported, fmt::format("topic \"{}\": mq does not know publishers", topic_.name()));
}

std::string Subscriber::file_of(const Message& message) const {
  return fmt::format("{}/{}.{:x}.{}", topic_.path(), name_, message.publisher, message.sequence);
}

weir::Result<Subscriber::Memory> Subscriber::memory_of(const Message& message) const {
  const std::size_t bytes = message.size + message.header_size;
  constexpr std::size_t page = weir::spi::max_alignment;
  if (!message.in_file()) {
    void* copy = std::aligned_alloc(page, page);
    if (copy == nullptr) return failure(ErrorCode::resource_exhausted, "the process is out of memory");
    std::memcpy(copy, message.bytes.data(), bytes);
    return Memory{copy, 0};
  }
  const std::string path = file_of(message);
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  void* mapped = file < 0 ? MAP_FAILED : mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file, 0);
  const int fault = errno;
  if (file >= 0) ::close(file);
  if (mapped == MAP_FAILED) {
    return failure(ErrorCode::corrupt,
                   fmt::format("topic \"{}\": the message in {} cannot be read: {}: let nobody else "
                               "remove files there",
                               topic_.name(), path, std::strerror(fault)));
  }
  ::unlink(path.c_str());
  return Memory{mapped, bytes};
}

weir::Result<bool> Subscriber::take(weir::spi::SampleRecord& record) {
  const std::lock_guard<std::mutex> lock(lock_);
  drain();
  const auto filled = [](const auto& entry) { return !entry.second.unread.empty(); };
  auto found = std::find_if(inboxes_.upper_bound(last_), inboxes_.end(), filled);
  if (found == inboxes_.end()) found = std::find_if(inboxes_.begin(), inboxes_.end(), filled);
  if (found == inboxes_.end()) return false;
  if (held_ >= qos_.held) {
    return failure(ErrorCode::limit_exceeded,
                   fmt::format("topic \"{}\": {} samples are in hand, the limit is held={}: release one, or raise that "
                               "option of the subscriber",
                               topic_.name(), held_.load(), qos_.held));
  }
  auto& [publisher, inbox] = *found;
  const Message message = inbox.unread.front();
  const weir::Result<Memory> memory = memory_of(message);
  inbox.unread.pop_front();
  if (!memory) return tl::unexpected(memory.error());
  const auto* bytes = static_cast<const std::byte*>(memory->address);
  record = {.payload = bytes,
            .size = message.size,
            .header = bytes + message.size,
            .header_size = message.header_size,
            .publisher = publisher,
            .sequence = message.sequence,
            .lost_before = message.sequence - inbox.expected,
            .time = static_cast<std::uint64_t>(message.time),
            .token = memory->mapped};
  inbox.expected = message.sequence + 1;
  last_ = publisher;
  ++held_;
  show();
  return true;
}

void Subscriber::release(weir::spi::SampleRecord& record) noexcept {
  void* address = const_cast<std::byte*>(record.payload);
  if (record.token > 0) {
    munmap(address, record.token);
  } else {
    std::free(address);
  }
  --held_;
}

}  // namespace mqueue
