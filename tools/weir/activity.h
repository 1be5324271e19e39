// What members of topics do, from what their segments tell at two looks, one after the other: so nobody notices.
//
//   Activity activity;
//   activity.look(observer.topics());                       // the first only gives the second something to compare
//   for (const TopicActivity& topic : activity.look(observer.topics())) …
//
// The segments count messages. They hold no count of bytes, losses or time spent blocked; those are derived:
//   bytes    messages by the mean size of the newest 32 of each publisher;
//   losses   what a subscriber's cursor had before it, and is overwritten, when somebody looks. A subscriber that is
//            overrun and catches up between two looks is not seen to lose: the count is never too high;
//   blocked  since the first of the looks, without one in which it went on, that found the publisher waiting.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "transport/shm/observer.h"

namespace weir::tool {

struct PublisherActivity {
  shm::ObservedPublisher member;
  double rate = 0;     // messages a second
  double bytes = 0;    // of payload a second
  double blocked = 0;  // seconds that it has waited for a lossless subscriber; 0: it does not
};

struct SubscriberActivity {
  shm::ObservedSubscriber member;
  std::uint64_t unread = 0;  // of all publishers, without what is lost already
  std::uint64_t lost = 0;    // since the first look
  double losing = 0;         // a second, since the last look
  bool is_behind = false;    // its queue for a publisher is full
};

struct TopicActivity {
  shm::ObservedTopic topic;  // without its members, which are here:
  std::vector<PublisherActivity> publishers = {};
  std::vector<SubscriberActivity> subscribers = {};
  double rate = 0;
  double bytes = 0;
  double blocked = 0;        // of the publisher that has waited longest
  std::uint64_t unread = 0;  // of the subscriber that is furthest behind
  std::uint64_t held = 0;    // messages in the hands of subscribers
  std::uint64_t lost = 0;    // since the first look, also by those who have left
  double losing = 0;
  std::uint64_t dead = 0;  // members whose process ended without leaving: they are counted nowhere else
  bool is_behind = false;
};

class Activity {
 public:
  using Moment = std::chrono::steady_clock::time_point;

  // `now`: when the topics were looked at.
  std::vector<TopicActivity> look(std::vector<shm::ObservedTopic> topics,
                                  Moment now = std::chrono::steady_clock::now());

 private:
  using Member = std::tuple<std::string, PeerId>;        // directory of its topic
  using Pair = std::tuple<std::string, PeerId, PeerId>;  // and subscriber, publisher
  struct Progress {
    std::uint64_t published = 0;
    Moment waits_since = Moment::max();
  };
  struct Loss {
    std::uint64_t counted = 0;  // all below this sequence was taken, or counted as lost
    std::uint64_t lost = 0;
  };
  // What was known at the last look, of those that were there.
  struct Known {
    std::map<Member, Progress> progress;
    std::map<Pair, Loss> losses;
    std::map<std::string, std::uint64_t> lost;  // by directory
  };

  PublisherActivity activity_of(const std::string& directory, shm::ObservedPublisher&& publisher, Known& known) const;
  SubscriberActivity activity_of(const std::string& directory, shm::ObservedSubscriber&& subscriber,
                                 const std::vector<PublisherActivity>& publishers, Known& known) const;

  [[nodiscard]] double per_second(std::uint64_t count) const noexcept {
    return seconds_ > 0 ? static_cast<double>(count) / seconds_ : 0;
  }

  Known known_;
  Moment now_ = Moment::min();
  double seconds_ = 0;  // between the last two looks; 0: there was one alone
};

}  // namespace weir::tool
