#include "tools/weir/activity.h"

#include <algorithm>
#include <utility>

namespace weir::tool {

std::vector<TopicActivity> Activity::look(std::vector<shm::ObservedTopic> topics, Moment now) {
  seconds_ = now_ == Moment::min() ? 0 : std::chrono::duration<double>(now - now_).count();
  now_ = now;
  Known known;
  std::vector<TopicActivity> activities;
  const auto is_dead = [](const shm::ObservedMember& member) { return member.condition == shm::Condition::dead; };
  for (shm::ObservedTopic& topic : topics) {
    TopicActivity activity;
    if (const auto before = known_.lost.find(topic.directory); before != known_.lost.end()) known.lost.insert(*before);
    for (shm::ObservedPublisher& publisher : topic.publishers) {
      activity.dead += is_dead(publisher) ? 1U : 0U;
      activity.publishers.push_back(activity_of(topic.directory, std::move(publisher), known));
      const PublisherActivity& added = activity.publishers.back();
      activity.rate += added.rate;
      activity.bytes += added.bytes;
      activity.blocked = std::max(activity.blocked, added.blocked);
    }
    for (shm::ObservedSubscriber& subscriber : topic.subscribers) {
      activity.dead += is_dead(subscriber) ? 1U : 0U;
      activity.subscribers.push_back(activity_of(topic.directory, std::move(subscriber), activity.publishers, known));
      const SubscriberActivity& added = activity.subscribers.back();
      activity.unread = std::max(activity.unread, added.unread);
      activity.held += added.member.held;
      activity.losing += added.losing;
      activity.is_behind = activity.is_behind || added.is_behind;
    }
    topic.publishers.clear();
    topic.subscribers.clear();
    activity.lost = known.lost[topic.directory];
    activity.topic = std::move(topic);
    activities.push_back(std::move(activity));
  }
  known_ = std::move(known);
  return activities;
}

PublisherActivity Activity::activity_of(const std::string& directory, shm::ObservedPublisher&& publisher,
                                        Known& known) const {
  PublisherActivity activity{.member = std::move(publisher)};
  const shm::ObservedPublisher& member = activity.member;
  const Member key(directory, member.peer.id);
  const auto before = known_.progress.find(key);
  const bool is_known = before != known_.progress.end();
  // What a newcomer has published, it published since the last look; but one that returned under its name did so long
  // ago.
  const std::uint64_t start = is_known ? before->second.published : member.durable ? member.published : 0;
  activity.rate = per_second(member.published - std::min(start, member.published));
  if (member.sampled != 0) {
    activity.bytes = activity.rate * static_cast<double>(member.sampled_bytes) / static_cast<double>(member.sampled);
  }
  Progress progress{.published = member.published};
  if (member.waits) {
    const bool goes_on_waiting = is_known && before->second.published == member.published;
    progress.waits_since = std::min(now_, goes_on_waiting ? before->second.waits_since : now_);
    activity.blocked = std::chrono::duration<double>(now_ - progress.waits_since).count();
  }
  known.progress.emplace(key, progress);
  return activity;
}

SubscriberActivity Activity::activity_of(const std::string& directory, shm::ObservedSubscriber&& subscriber,
                                         const std::vector<PublisherActivity>& publishers, Known& known) const {
  SubscriberActivity activity{.member = std::move(subscriber)};
  if (activity.member.condition == shm::Condition::dead) return activity;
  std::uint64_t new_lost = 0;
  for (const PublisherActivity& publisher : publishers) {
    const shm::Backlog backlog = shm::backlog_of(activity.member, publisher.member);
    const std::uint64_t depth =
        activity.member.adapts ? std::min(activity.member.depth, publisher.member.depth) : activity.member.depth;
    activity.unread += backlog.unread - backlog.overrun;
    activity.is_behind = activity.is_behind || (backlog.unread != 0 && backlog.unread >= depth);
    const std::uint64_t cursor = publisher.member.published - backlog.unread;
    const std::uint64_t oldest = cursor + backlog.overrun;
    const Pair key(directory, activity.member.peer.id, publisher.member.peer.id);
    const auto before = known_.losses.find(key);
    Loss loss = before == known_.losses.end() ? Loss{.counted = oldest} : before->second;
    const std::uint64_t more = oldest - std::min(oldest, std::max(loss.counted, cursor));
    loss.counted = std::max(loss.counted, oldest);
    loss.lost += more;
    new_lost += more;
    activity.lost += loss.lost;
    known.losses.emplace(key, loss);
  }
  known.lost[directory] += new_lost;
  activity.losing = per_second(new_lost);
  return activity;
}

}  // namespace weir::tool
