// Waiting for many endpoints at once: who is ready is reported, and nobody else forever.
#include "transport/wait_set.h"

#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transport/inproc/test_support.h"

namespace weir {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using testing_support::bytes;
using testing_support::fails;
using testing_support::must;
using testing_support::readable;
using testing_support::soon;
using testing_support::take_all;

class WaitSetTest : public testing_support::InprocTest {
 protected:
  // The tags that are ready now.
  std::vector<std::uint64_t> ready() {
    const WaitSet::Ready ready = must(set_.wait(at_once));
    EXPECT_EQ(ready.wake, ready.tags.empty() ? Wake::deadline : Wake::ready);
    return ready.tags;
  }

  WaitSet set_ = must(WaitSet::create());
  Publisher publisher_a_ = must(node.publisher("inproc://a?grant=reject"));
  Publisher publisher_b_ = must(node.publisher("inproc://b"));
  Subscriber subscriber_a_ = must(node.subscriber("inproc://a?policy=lossless&depth=1"));
  Subscriber subscriber_b_ = must(node.subscriber("inproc://b"));
};

TEST_F(WaitSetTest, ReportsThoseThatAreReadyUntilTheyAreDrained) {
  must(set_.add(subscriber_a_, 1));
  must(set_.add(subscriber_b_, 2));
  EXPECT_THAT(ready(), IsEmpty());
  must(publisher_b_.send({}));
  EXPECT_THAT(ready(), ElementsAre(2));
  must(publisher_a_.send({}));
  EXPECT_THAT(ready(), UnorderedElementsAre(1, 2));
  take_all(subscriber_b_);
  EXPECT_THAT(ready(), ElementsAre(1));
  take_all(subscriber_a_);
  EXPECT_THAT(ready(), IsEmpty());
}

TEST_F(WaitSetTest, AnyTagMayBeChosen) {
  must(set_.add(subscriber_a_, ~0ULL));
  must(set_.add(subscriber_b_, 0));
  must(publisher_a_.send({}));
  must(publisher_b_.send({}));
  EXPECT_THAT(ready(), UnorderedElementsAre(0, ~0ULL));
}

TEST_F(WaitSetTest, PublisherIsReportedForSpaceAndForSubscribersThatComeAndGo) {
  must(set_.add(publisher_a_, 1));
  must(publisher_a_.send({}));
  EXPECT_TRUE(fails(publisher_a_.send({}), ErrorCode::back_pressure));
  EXPECT_THAT(ready(), IsEmpty());
  must(subscriber_a_.take());
  EXPECT_THAT(ready(), ElementsAre(1));
  must(publisher_a_.send({}));
  EXPECT_THAT(ready(), IsEmpty());
  must(publisher_a_.next_event());
  EXPECT_THAT(ready(), IsEmpty());
  const Subscriber joins = must(node.subscriber("inproc://a"));
  EXPECT_THAT(ready(), ElementsAre(1));
}

TEST_F(WaitSetTest, OneThatWasMovedFromIsClosed) {
  const WaitSet taken = std::move(set_);
  EXPECT_TRUE(fails(set_.wait(soon()), ErrorCode::closed, {"moved from"}));  // NOLINT(bugprone-use-after-move)
}

TEST_F(WaitSetTest, WaitEndsWhenOneBecomesReady) {
  must(set_.add(subscriber_a_, 1));
  must(set_.add(subscriber_b_, 2));
  for (int round = 0; round < 500; ++round) {
    std::jthread sending([&] { must(publisher_b_.send({})); });
    const WaitSet::Ready result = must(set_.wait(soon()));
    ASSERT_EQ(result.wake, Wake::ready);
    ASSERT_THAT(result.tags, ElementsAre(2));
    must(subscriber_b_.take());
  }
}

TEST_F(WaitSetTest, WaitEndsAtTheDeadline) {
  must(set_.add(subscriber_a_, 1));
  const Deadline deadline = after(std::chrono::microseconds(1500));
  EXPECT_EQ(must(set_.wait(deadline)).wake, Wake::deadline);
  EXPECT_GE(std::chrono::steady_clock::now(), deadline);
}

TEST_F(WaitSetTest, StopTokenEndsTheWaitAndOnlyThatWait) {
  must(set_.add(subscriber_a_, 1));
  std::stop_source stop;
  std::jthread stopping([&] { stop.request_stop(); });
  const WaitSet::Ready interrupted = must(set_.wait(never, stop.get_token()));
  EXPECT_EQ(interrupted.wake, Wake::interrupted);
  EXPECT_THAT(interrupted.tags, IsEmpty());
  EXPECT_EQ(must(set_.wait(never, stop.get_token())).wake, Wake::interrupted);
  EXPECT_EQ(must(set_.wait(at_once)).wake, Wake::deadline);
  EXPECT_FALSE(readable(set_.fd()));
}

TEST_F(WaitSetTest, MemberCanBeAddedOnceAndRemovedOnce) {
  must(set_.add(subscriber_a_, 1));
  EXPECT_TRUE(
      fails(set_.add(subscriber_a_, 2), ErrorCode::invalid_argument, {"inproc://a", "tag 2", "remove it first"}));
  must(publisher_a_.send({}));
  must(set_.remove(subscriber_a_));
  EXPECT_THAT(ready(), IsEmpty());
  EXPECT_TRUE(fails(set_.remove(subscriber_a_), ErrorCode::not_found, {"inproc://a", "add it first"}));
  EXPECT_TRUE(fails(set_.remove(publisher_a_), ErrorCode::not_found));
  must(set_.add(subscriber_a_, 3));
  EXPECT_THAT(ready(), ElementsAre(3));
}

TEST_F(WaitSetTest, ClosedHandleCannotBeAdded) {
  const Subscriber moved = std::move(subscriber_a_);
  EXPECT_TRUE(fails(set_.add(subscriber_a_, 1), ErrorCode::closed));  // NOLINT(bugprone-use-after-move)
  EXPECT_TRUE(fails(set_.remove(subscriber_a_), ErrorCode::closed));
}

TEST_F(WaitSetTest, DescriptorIsReadableWhenWaitWouldReturnAtOnce) {
  must(set_.add(subscriber_a_, 1));
  EXPECT_FALSE(readable(set_.fd()));
  must(publisher_a_.send({}));
  EXPECT_TRUE(readable(set_.fd()));
  take_all(subscriber_a_);
  EXPECT_FALSE(readable(set_.fd()));
}

TEST_F(WaitSetTest, ManyReadyMembersAreAllReportedInTurn) {
  std::vector<Subscriber> many;
  constexpr std::uint64_t count = 200;
  for (std::uint64_t tag = 0; tag < count; ++tag) {
    many.push_back(must(node.subscriber("inproc://b")));
    must(set_.add(many.back(), tag));
  }
  must(publisher_b_.send({}));
  // Nobody is drained, so those that come first could hide the others.
  std::set<std::uint64_t> seen;
  for (int report = 0; report < 20 && seen.size() < count; ++report) {
    for (const std::uint64_t tag : ready()) {
      seen.insert(tag);
    }
  }
  EXPECT_EQ(seen.size(), count);
}

TEST_F(WaitSetTest, MovedSetIsTheSameSet) {
  must(set_.add(subscriber_a_, 1));
  must(publisher_a_.send({}));
  WaitSet moved = std::move(set_);
  EXPECT_THAT(must(moved.wait(at_once)).tags, ElementsAre(1));
  set_ = std::move(moved);
  EXPECT_THAT(ready(), ElementsAre(1));
}

TEST_F(WaitSetTest, ExhaustedDescriptorsAreAnErrorThatNamesTheRemedy) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const bool refused = fails(WaitSet::create(), ErrorCode::resource_exhausted, {"ulimit -n"});
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(refused);
}

}  // namespace
}  // namespace weir
