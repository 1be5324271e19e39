// MEMBER: whatever comes and goes, an observer's events fit together.
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/crash/come_and_go.h"
#include "conformance/crash/ending.h"
#include "conformance/harness/fixture.h"
#include "conformance/membership/observe.h"

namespace weir::conformance {

using Membership = ConformanceTest;

namespace {

// What an observer was told so far.
class Told {
 public:
  void note(const std::vector<MembershipEvent>& events) {
    for (const MembershipEvent& event : events) {
      const bool was_there = there_.contains(event.peer.id);
      if (event.change == Change::joined) {
        EXPECT_FALSE(was_there || gone_.contains(event.peer.id)) << event.peer.id << " joined twice";
        there_[event.peer.id] = event.peer.name;
        continue;
      }
      EXPECT_TRUE(was_there) << event.peer.id << " went, and was not there";
      EXPECT_EQ(there_[event.peer.id], event.peer.name);
      there_.erase(event.peer.id);
      gone_[event.peer.id] = event.change;
      ++count_;
    }
  }
  [[nodiscard]] const std::map<PeerId, std::string>& there() const { return there_; }
  [[nodiscard]] std::uint64_t gone() const { return count_; }

 private:
  std::map<PeerId, std::string> there_;
  std::map<PeerId, Change> gone_;
  std::uint64_t count_ = 0;
};

}  // namespace

CONFORMANCE_TEST(Membership, EventsFitTogetherWhileManyComeGoAndDie, "MEMBER-1", "MEMBER-2", "MEMBER-3") {
  NEEDS(full_membership);
  const std::string topic = uri("topic");
  Publisher watching_out = this->publisher(uri("topic", "name=out"));
  Subscriber watching_in = this->subscriber(uri("topic", "name=in"));
  Told told_out;
  Told told_in;
  const auto look = [&] {
    told_out.note(events_of(watching_out));
    told_in.note(events_of(watching_in));
  };
  const bool die = has(feature::processes) && has(feature::death_events);
  Chance chance;
  for (int round = 0; round < 10; ++round) {
    std::vector<ScriptedPeer*> others;
    for (int number = 0; number < 3; ++number) {
      others.push_back(&peer(fmt::format("other {} of round {}", number, round)));
      others.back()->begin_run("come_and_go", topic);
    }
    for (int step = 0; step < 20; ++step) {
      others[chance.below(others.size())]->wait_for_events(3);
      look();
    }
    for (ScriptedPeer* other : others) {
      if (die && chance.below(2) == 0) {
        other->kill();
      } else {
        other->halt();
        other->finish_well();
      }
      look();
    }
    // All are gone, and that was told of all that were told of.
    ASSERT_EQ(told_out.there(), (std::map<PeerId, std::string>{{watching_in.id(), "in"}})) << "in round " << round;
    ASSERT_EQ(told_in.there(), (std::map<PeerId, std::string>{{watching_out.id(), "out"}})) << "in round " << round;
  }
  EXPECT_GT(told_out.gone(), 10U) << "the observer saw next to nothing of what happened";
  EXPECT_GT(told_in.gone(), 10U) << "the observer saw next to nothing of what happened";
}

}  // namespace weir::conformance
