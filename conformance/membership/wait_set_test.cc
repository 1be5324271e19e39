// MEMBER: one wait set tells of the comings and goings on many topics.
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/crash/ending.h"
#include "conformance/harness/fixture.h"
#include "conformance/membership/observe.h"

namespace weir::conformance {

using Membership = ConformanceTest;

namespace {

constexpr std::uint64_t topics = 10;

// A publisher and a subscriber on each of many topics, in one set: tags below `topics` are publishers.
class Crowd {
 public:
  Crowd(Node& node, const std::vector<std::string>& uris) {
    for (const std::string& uri : uris) {
      publishers_.push_back(must(node.publisher(uri), "opening a publisher"));
      subscribers_.push_back(must(node.subscriber(uri), "opening a subscriber"));
    }
    for (std::uint64_t at = 0; at < uris.size(); ++at) {
      must(set_.add(publishers_[at], at), "add");
      must(set_.add(subscribers_[at], topics + at), "add");
    }
  }

  // Waits for and fetches events, until there is one of `change` from each of these tags.
  void expect(Change change, const std::set<std::uint64_t>& tags) {
    std::set<std::uint64_t> told;
    while (told != tags) {
      const WaitSet::Ready ready = must(set_.wait(never), "wait");
      for (const std::uint64_t tag : ready.tags) {
        for (const MembershipEvent& event : fetch(tag)) {
          EXPECT_EQ(event.change, change) << "from " << tag;
          EXPECT_TRUE(tags.contains(tag)) << "nothing happened on the topic of " << tag;
          told.insert(tag);
        }
      }
    }
  }

  // Fetches all there is; then the set has nothing to wake up for.
  void drain() {
    for (std::uint64_t tag = 0; tag < 2 * topics; ++tag) static_cast<void>(fetch(tag));
    const WaitSet::Ready ready = must(set_.wait(at_once), "wait");
    EXPECT_EQ(ready.wake, Wake::deadline)
        << "it is ready because of " << (ready.tags.empty() ? -1 : static_cast<int>(ready.tags.front()));
  }

 private:
  std::vector<MembershipEvent> fetch(std::uint64_t tag) {
    if (tag < topics) return events_of(publishers_[tag]);
    Subscriber& subscriber = subscribers_[tag - topics];
    while (must(subscriber.take(), "take")) {
    }
    return events_of(subscriber);
  }

  std::vector<Publisher> publishers_;
  std::vector<Subscriber> subscribers_;
  WaitSet set_ = must(WaitSet::create(), "wait set");
};

}  // namespace

CONFORMANCE_TEST(Membership, AWaitSetTellsOfJoinsLeavesAndDeathsOnManyTopics, "MEMBER-9") {
  NEEDS(full_membership);
  std::vector<std::string> uris;
  for (std::uint64_t at = 0; at < topics; ++at) uris.push_back(uri(fmt::format("topic{}", at)));
  Crowd crowd(node(), uris);
  crowd.drain();
  Chance chance;
  for (const End end : ends) {
    if (end != End::closes && (!has(feature::processes) || !has(feature::death_events))) continue;
    ScriptedPeer& other = peer(fmt::format("other that {}", to_string(end)));
    std::set<std::uint64_t> tags;
    for (int joins = 0; joins < 6; ++joins) {
      const std::uint64_t tag = chance.below(2 * topics);
      if (!tags.insert(tag).second) continue;
      // A publisher is told of a subscriber, and the other way round.
      if (tag < topics) {
        other.subscriber(uris[tag]);
      } else {
        other.publisher(uris[tag - topics]);
      }
    }
    crowd.expect(Change::joined, tags);
    crowd.drain();
    bring_to_end(other, end);
    crowd.expect(end == End::closes ? Change::left : Change::died, tags);
    crowd.drain();
  }
}

}  // namespace weir::conformance
