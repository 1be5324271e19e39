// Waiting for data, in a call and in an event loop: no wake-up is lost, none costs a processor, the descriptor tells
// the truth.
#include <fcntl.h>
#include <sys/resource.h>

#include <chrono>
#include <ctime>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transport/inproc/test_support.h"

namespace weir {
namespace {

using ::testing::ElementsAre;
using testing_support::bytes;
using testing_support::fails;
using testing_support::must;
using testing_support::readable;
using testing_support::soon;
using testing_support::take_all;
using testing_support::text;

class WaitingTest : public testing_support::InprocTest {
 protected:
  Publisher publisher_ = must(node.publisher("inproc://t"));
  Subscriber subscriber_ = must(node.subscriber("inproc://t"));
};

TEST_F(WaitingTest, WaitEndsReadyWithDataAndAtTheDeadlineWithout) {
  const Deadline deadline = after(std::chrono::milliseconds(2));
  EXPECT_EQ(must(subscriber_.wait(deadline)), Wake::deadline);
  EXPECT_GE(std::chrono::steady_clock::now(), deadline);
  EXPECT_EQ(must(subscriber_.wait(at_once)), Wake::deadline);
  must(publisher_.send(bytes("x")));
  EXPECT_EQ(must(subscriber_.wait(at_once)), Wake::ready);
  EXPECT_EQ(must(subscriber_.wait(never)), Wake::ready);
}

TEST_F(WaitingTest, WaitingCostsNoProcessorTime) {
  const auto spent = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  };
  const auto before = spent();
  EXPECT_EQ(must(subscriber_.wait(after(std::chrono::milliseconds(100)))), Wake::deadline);
  EXPECT_LT(spent() - before, std::chrono::milliseconds(50));
}

TEST_F(WaitingTest, StopTokenEndsEveryWait) {
  std::stop_source stop;
  std::jthread stopping([&] { stop.request_stop(); });
  EXPECT_EQ(must(subscriber_.wait(soon(), stop.get_token())), Wake::interrupted);
  EXPECT_TRUE(fails(publisher_.wait_for_subscribers(2, soon(), stop.get_token()), ErrorCode::interrupted, {"\"t\""}));
  EXPECT_EQ(must(subscriber_.wait(at_once, stop.get_token())), Wake::interrupted);
}

TEST_F(WaitingTest, TriggeredTokenStopsALoopThatAlwaysFindsData) {
  std::stop_source stop;
  stop.request_stop();
  must(publisher_.send(bytes("x")));
  EXPECT_EQ(must(subscriber_.wait(never, stop.get_token())), Wake::interrupted);
  EXPECT_THAT(take_all(subscriber_), ElementsAre("x"));
}

TEST_F(WaitingTest, NoWakeUpIsLostBetweenTwoThatAnswerEachOther) {
  constexpr int rounds = 2000;
  Publisher answers = must(node.publisher("inproc://answers"));
  Subscriber questions = must(node.subscriber("inproc://t"));
  Subscriber answered = must(node.subscriber("inproc://answers"));
  std::jthread answering([&] {
    for (int round = 0; round < rounds; ++round) {
      ASSERT_EQ(must(questions.wait(soon())), Wake::ready);
      must(questions.take());
      must(answers.send({}));
    }
  });
  for (int round = 0; round < rounds; ++round) {
    must(publisher_.send({}));
    ASSERT_EQ(must(answered.wait(soon())), Wake::ready);
    ASSERT_TRUE(must(answered.take()));
  }
}

TEST_F(WaitingTest, DescriptorIsReadableExactlyWhileThereIsSomethingToTake) {
  const int descriptor = must(subscriber_.fd());
  EXPECT_EQ(must(subscriber_.fd()), descriptor);
  EXPECT_FALSE(readable(descriptor));
  must(publisher_.send(bytes("a")));
  must(publisher_.send(bytes("b")));
  EXPECT_TRUE(readable(descriptor));
  must(subscriber_.take());
  EXPECT_TRUE(readable(descriptor));
  must(subscriber_.take());
  EXPECT_FALSE(readable(descriptor));
  EXPECT_FALSE(must(subscriber_.take()));
  EXPECT_FALSE(readable(descriptor));
}

TEST_F(WaitingTest, DescriptorMadeLaterShowsWhatIsThereAlready) {
  must(publisher_.send(bytes("a")));
  EXPECT_TRUE(readable(must(subscriber_.fd())));
}

TEST_F(WaitingTest, DescriptorIsReadableForHistoryAndAfterThePublisherLeft) {
  std::optional<Publisher> other = must(node.publisher("inproc://u?history=1"));
  must(other->send(bytes("a")));
  Subscriber late = must(node.subscriber("inproc://u?history=1"));
  EXPECT_TRUE(readable(must(late.fd())));
  other.reset();
  EXPECT_TRUE(readable(must(late.fd())));
  EXPECT_THAT(take_all(late), ElementsAre("a"));
  EXPECT_FALSE(readable(must(late.fd())));
}

TEST_F(WaitingTest, DescriptorsAreClosedWithTheirOwnersAndNotInheritedByPrograms) {
  Sample in_hand;
  int descriptor = -1;
  {
    Subscriber other = must(node.subscriber("inproc://t"));
    descriptor = must(other.fd());
    EXPECT_NE(::fcntl(descriptor, F_GETFD) & FD_CLOEXEC, 0);
    must(publisher_.send(bytes("x")));
    in_hand = must(other.take());
  }
  EXPECT_EQ(::fcntl(descriptor, F_GETFD), -1);
  EXPECT_EQ(text(in_hand.payload()), "x");
}

TEST_F(WaitingTest, ExhaustedDescriptorsAreAnErrorThatNamesTheRemedy) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const Result<int> refused = subscriber_.fd();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(fails(refused, ErrorCode::resource_exhausted, {"ulimit -n"}));
  EXPECT_FALSE(readable(must(subscriber_.fd())));
}

TEST_F(WaitingTest, TakeBeyondHeldIsRefusedAndLosesNothing) {
  Subscriber other = must(node.subscriber("inproc://t?held=2"));
  for (const char* word : {"a", "b", "c"}) {
    must(publisher_.send(bytes(word)));
  }
  Sample a = must(other.take());
  const Sample b = must(other.take());
  EXPECT_TRUE(fails(other.take(), ErrorCode::limit_exceeded, {"\"t\"", "held=2"}));
  EXPECT_TRUE(readable(must(other.fd())));
  a.release();
  EXPECT_THAT(take_all(other), ElementsAre("c"));
  EXPECT_EQ(text(b.payload()), "b");
}

TEST_F(WaitingTest, WaitForSubscribersCountsThoseThatAreThere) {
  must(publisher_.wait_for_subscribers(0, at_once));
  must(publisher_.wait_for_subscribers(1, at_once));
  EXPECT_TRUE(fails(publisher_.wait_for_subscribers(2, at_once), ErrorCode::timed_out, {"\"t\"", "1 of 2"}));
  std::optional<Subscriber> second;
  std::jthread joining([&] { second = must(node.subscriber("inproc://t")); });
  must(publisher_.wait_for_subscribers(2, soon()));
  must(publisher_.send(bytes("x")));
  joining.join();
  EXPECT_THAT(take_all(*second), ElementsAre("x"));
  second.reset();
  EXPECT_TRUE(fails(publisher_.wait_for_subscribers(2, at_once), ErrorCode::timed_out));
}

}  // namespace
}  // namespace weir
