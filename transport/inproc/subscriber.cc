#include "transport/inproc/subscriber.h"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "transport/inproc/compatibility.h"
#include "transport/inproc/publisher.h"

namespace weir::inproc {

Subscriber::Subscriber(Domain& home, const std::string& on_topic, const SubscriberQos& qos)
    : Member(home, on_topic, Role::subscriber, qos.name), qos_(qos) {}

Result<std::unique_ptr<spi::SubscriberPort>> Subscriber::join(const std::string& topic, const SubscriberQos& qos) {
  Domain& domain = Domain::of_this_process();
  // Declared before the lock, so that on any way out the lock is gone when the destructor leaves the topic again.
  std::unique_ptr<Subscriber> subscriber(new Subscriber(domain, topic, qos));
  const std::lock_guard lock(domain.mutex);
  subscriber->enter();
  if (Status fits = subscriber->check_peers(); !fits) {
    return tl::unexpected(std::move(fits).error());
  }
  for (Publisher* publisher : subscriber->topic->publishers) {
    subscriber->publisher_joined(*publisher);
  }
  subscriber->topic->subscribers.push_back(subscriber.get());
  subscriber->appear();
  return subscriber;
}

Status Subscriber::check_peers() const {
  Status fits;
  for (const Publisher* publisher : topic->publishers) {
    fits = fits.and_then([&] {
                 return check_qos(topic_name, {publisher->peer(), publisher->qos()}, {self, qos_});
               })
               .and_then(
                   [&] { return check_types(topic_name, self, qos_.type, publisher->peer(), publisher->qos().type); });
  }
  for (const Subscriber* other : topic->subscribers) {
    fits = fits.and_then([&] { return check_types(topic_name, self, qos_.type, other->peer(), other->qos().type); });
  }
  return fits;
}

void Subscriber::leave() noexcept {
  const std::lock_guard lock(domain.mutex);
  if (topic == nullptr) {
    return;
  }
  std::erase(topic->subscribers, this);
  inboxes_.clear();
  disappear();
}

void Subscriber::publisher_joined(Publisher& publisher) {
  const auto& retained = publisher.retained();
  const std::uint64_t count = std::min<std::uint64_t>(qos_.history, retained.size());
  inboxes_.emplace(publisher.id(),
                   Inbox{.publisher = &publisher,
                         .expected = publisher.next_sequence() - count,
                         .unread = {std::prev(retained.end(), static_cast<std::ptrdiff_t>(count)), retained.end()}});
}

void Subscriber::publisher_left(const Publisher& publisher) noexcept {
  const auto inbox = inboxes_.find(publisher.id());
  if (inbox == inboxes_.end()) {
    return;
  }
  inbox->second.publisher = nullptr;
  if (inbox->second.unread.empty()) {
    inboxes_.erase(inbox);
  }
}

bool Subscriber::blocks(const Publisher& publisher) const noexcept {
  return qos_.policy == SlowPolicy::lossless && inboxes_.find(publisher.id())->second.unread.size() >= qos_.depth;
}

bool Subscriber::still_has(const Publisher& publisher, std::uint64_t sequence) const noexcept {
  const auto& unread = inboxes_.find(publisher.id())->second.unread;
  return !unread.empty() && unread.front()->sequence <= sequence;
}

void Subscriber::append(const Publisher& publisher, const std::shared_ptr<const Message>& message) {
  inboxes_.find(publisher.id())->second.unread.push_back(message);
}

void Subscriber::withdraw(const Publisher& publisher) noexcept {
  inboxes_.find(publisher.id())->second.unread.pop_back();
}

void Subscriber::settle(const Publisher& publisher) noexcept {
  auto& unread = inboxes_.find(publisher.id())->second.unread;
  if (unread.size() > qos_.depth) {
    qos_.policy == SlowPolicy::drop_newest ? unread.pop_back() : unread.pop_front();
  }
  ring();
}

bool Subscriber::ready() const noexcept {
  return std::any_of(inboxes_.begin(), inboxes_.end(), [](const auto& entry) { return !entry.second.unread.empty(); });
}

Subscriber::Inboxes::iterator Subscriber::next_inbox() noexcept {
  const auto filled = [](const auto& entry) { return !entry.second.unread.empty(); };
  const auto turn = inboxes_.upper_bound(last_taken_);
  const auto later = std::find_if(turn, inboxes_.end(), filled);
  return later != inboxes_.end() ? later : std::find_if(inboxes_.begin(), inboxes_.end(), filled);
}

Result<bool> Subscriber::take(spi::SampleRecord& record) {
  const std::lock_guard lock(domain.mutex);
  const auto found = next_inbox();
  if (found == inboxes_.end()) {
    return false;
  }
  if (held_.size() >= qos_.held) {
    return failure(ErrorCode::limit_exceeded,
                   fmt::format("topic \"{}\": {} samples are in hand, the limit is held={}: release one, or raise that "
                               "option of the subscriber",
                               topic_name, held_.size(), qos_.held));
  }
  auto& [id, inbox] = *found;
  const auto message = inbox.unread.front();
  held_.emplace(next_token_, message);  // the last that can fail
  inbox.unread.pop_front();
  record = {.payload = message->payload(),
            .size = message->size,
            .header = message->header(),
            .header_size = message->header_size,
            .publisher = id,
            .sequence = message->sequence,
            .lost_before = message->sequence - inbox.expected,
            .time = static_cast<std::uint64_t>(message->published.time_since_epoch() / std::chrono::nanoseconds(1)),
            .token = next_token_++};
  inbox.expected = message->sequence + 1;
  last_taken_ = id;
  if (inbox.publisher != nullptr) {
    inbox.publisher->ring();
  } else if (inbox.unread.empty()) {
    inboxes_.erase(found);
  }
  ring();
  return true;
}

void Subscriber::release(spi::SampleRecord& record) noexcept {
  std::shared_ptr<const Message> last;  // freed after the lock
  const std::lock_guard lock(domain.mutex);
  const auto held = held_.find(record.token);
  last = std::move(held->second);
  held_.erase(held);
}

}  // namespace weir::inproc
