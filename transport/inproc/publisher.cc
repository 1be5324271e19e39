#include "transport/inproc/publisher.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "transport/inproc/compatibility.h"
#include "transport/inproc/subscriber.h"

namespace weir::inproc {

Publisher::Publisher(Domain& home, const std::string& on_topic, const PublisherQos& qos)
    : Member(home, on_topic, Role::publisher, qos.name), qos_(qos), budget_(std::make_shared<Budget>(qos.memory)) {}

Result<std::unique_ptr<spi::PublisherPort>> Publisher::join(const std::string& topic, const PublisherQos& qos) {
  Domain& domain = Domain::of_this_process();
  // Declared before the lock, so that on any way out the lock is gone when the destructor leaves the topic again.
  std::unique_ptr<Publisher> publisher(new Publisher(domain, topic, qos));
  const std::lock_guard lock(domain.mutex);
  publisher->enter();
  if (Status fits = publisher->check_peers(); !fits) {
    return tl::unexpected(std::move(fits).error());
  }
  publisher->topic->publishers.push_back(publisher.get());
  for (Subscriber* subscriber : publisher->topic->subscribers) {
    subscriber->publisher_joined(*publisher);
  }
  publisher->appear();
  return publisher;
}

Status Publisher::check_peers() const {
  Status fits;
  for (const Subscriber* subscriber : topic->subscribers) {
    fits = fits.and_then([&] {
                 return check_qos(topic_name, {self, qos_}, {subscriber->peer(), subscriber->qos()});
               })
               .and_then([&] {
                 return check_types(topic_name, self, qos_.type, subscriber->peer(), subscriber->qos().type);
               });
  }
  for (const Publisher* other : topic->publishers) {
    fits = fits.and_then([&] { return check_types(topic_name, self, qos_.type, other->peer(), other->qos().type); });
  }
  return fits;
}

void Publisher::leave() noexcept {
  const std::lock_guard lock(domain.mutex);
  if (topic == nullptr) {
    return;
  }
  std::erase(topic->publishers, this);
  for (Subscriber* subscriber : topic->subscribers) {
    subscriber->publisher_left(*this);
  }
  retained_.clear();
  disappear();
}

Status Publisher::loan(const spi::LoanRequest& request, spi::LoanRecord& record) {
  const std::uint64_t bytes = request.size + request.header_size;
  if (bytes < request.size || !budget_->fits(bytes)) {
    const bool never_fits = bytes < request.size || bytes > qos_.memory;
    return failure(never_fits ? ErrorCode::limit_exceeded : ErrorCode::resource_exhausted,
                   fmt::format("topic \"{}\": a message of {} bytes and a header of {} do not fit, as {} of memory={} "
                               "bytes are in loans, queues, history and samples in hand: release some, or raise that "
                               "option of the publisher",
                               topic_name, request.size, request.header_size, budget_->used(), qos_.memory));
  }
  const auto message = std::make_shared<Message>(request, budget_);
  lent_.emplace(next_token_, message);
  record = {.payload = message->payload(),
            .size = request.size,
            .header = message->header(),
            .header_size = request.header_size,
            .token = next_token_++};
  return {};
}

const Subscriber* Publisher::obstacle() const noexcept {
  const auto& all = topic->subscribers;
  const auto found =
      std::find_if(all.begin(), all.end(), [this](const Subscriber* each) { return each->blocks(*this); });
  return found == all.end() ? nullptr : *found;
}

Result<std::uint64_t> Publisher::publish(spi::LoanRecord& record, std::optional<Deadline> deadline) {
  const auto called = std::chrono::steady_clock::now();
  const auto lent = lent_.find(record.token);
  std::unique_lock lock(domain.mutex);
  const bool waits = qos_.grant == Grant::block;
  bell.wait(lock, waits ? deadline.value_or(after(qos_.deadline)) : at_once, {}, [this] { return ready(); });
  if (const Subscriber* slow = obstacle(); slow != nullptr) {
    refused_ = true;
    return failure(
        ErrorCode::back_pressure,
        fmt::format("topic \"{}\": the lossless subscriber {} \"{}\" has all of its depth={} unread{}: wait "
                    "for space and publish again, or give it a larger depth",
                    topic_name, slow->id(), slow->peer().name, slow->qos().depth, waits ? " at the deadline" : ""));
  }
  Message& message = *lent->second;
  message.size = record.size;
  message.sequence = next_sequence_;
  message.published = called;
  hand_out(lent->second);
  lent_.erase(lent);
  refused_ = false;
  ring();
  return next_sequence_++;
}

void Publisher::hand_out(const std::shared_ptr<const Message>& message) {
  // All that can fail for want of memory comes first, and is taken back if it does: nobody receives a sample that
  // publish reports as not published.
  const auto& subscribers = topic->subscribers;
  auto reached = subscribers.begin();
  try {
    for (; reached != subscribers.end(); ++reached) {
      (*reached)->append(*this, message);
    }
    retained_.push_back(message);
  } catch (...) {
    std::for_each(subscribers.begin(), reached, [this](Subscriber* subscriber) { subscriber->withdraw(*this); });
    throw;
  }
  if (retained_.size() > qos_.history) {
    retained_.pop_front();
  }
  for (Subscriber* subscriber : subscribers) {
    subscriber->settle(*this);
  }
}

Status Publisher::wait_until_taken(std::uint64_t sequence, Deadline deadline, const std::stop_token& stop) {
  std::unique_lock lock(domain.mutex);
  const auto behind = [&] {
    return std::count_if(topic->subscribers.begin(), topic->subscribers.end(),
                         [&](const Subscriber* each) { return each->still_has(*this, sequence); });
  };
  const Wake wake = bell.wait(lock, deadline, stop, [&] { return behind() == 0; });
  if (wake == Wake::ready) {
    return {};
  }
  return failure(wake == Wake::interrupted ? ErrorCode::interrupted : ErrorCode::timed_out,
                 fmt::format("topic \"{}\": {} subscribers have not taken sample {} {}", topic_name, behind(), sequence,
                             wake == Wake::interrupted ? "and the stop token was triggered"
                                                       : "at the deadline: look what keeps them, or wait longer"));
}

Status Publisher::wait_for_subscribers(std::uint64_t count, Deadline deadline, const std::stop_token& stop) {
  std::unique_lock lock(domain.mutex);
  const Wake wake = bell.wait(lock, deadline, stop, [&] { return topic->subscribers.size() >= count; });
  if (wake == Wake::ready) {
    return {};
  }
  return failure(
      wake == Wake::interrupted ? ErrorCode::interrupted : ErrorCode::timed_out,
      fmt::format("topic \"{}\": {} of {} subscribers have joined {}", topic_name, topic->subscribers.size(), count,
                  wake == Wake::interrupted ? "and the stop token was triggered"
                                            : "at the deadline: start them, or wait longer"));
}

}  // namespace weir::inproc
