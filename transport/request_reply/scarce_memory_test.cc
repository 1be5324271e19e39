// Requesters and repliers whose process runs out of memory: an error says so, and what is known of the request.
#include "transport/testing/scarce_memory.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include <gmock/gmock.h>

#include "transport/request_reply/test_fixture.h"

namespace weir::request_reply {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using weir::testing::fail_each_allocation;

class ScarceMemory : public RequestReply {};
INSTANTIATE_TEST_SUITE_P(Over, ScarceMemory, ::testing::Values("inproc", "shm"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(ScarceMemory, IsAnErrorOfOpen) {
  const auto nothing = [](const auto&, bool) {};
  const std::string questions = requests();
  const std::string answers = replies();
  EXPECT_GT(fail_each_allocation([&] { return Replier::open(node_, questions, answers); }, nothing), 0);
  EXPECT_GT(fail_each_allocation([&] { return Requester::open(node_, questions, answers); }, nothing), 0);
}

// How often each request was executed.
class Executed {
 public:
  int count(const std::string& request) {
    const std::lock_guard lock(mutex_);
    return ++times_[request];
  }
  int times(const std::string& request) {
    const std::lock_guard lock(mutex_);
    return times_[request];
  }

 private:
  std::mutex mutex_;
  std::map<std::string, int> times_;
};

TEST_P(ScarceMemory, OfARequesterIsAnErrorThatSaysWhetherTheRequestWasSent) {
  Replier replier = this->replier();
  Executed executed;
  std::atomic<bool> given_up{false};
  Subscriber watcher = must(node_.subscriber(requests("?depth=255")));
  // It works until it is asked again, so that later sends fail too.
  const auto serving = serve(replier, [&](std::span<const std::byte> request) {
    executed.count(text(request));
    for (bool again = false; !again && !given_up;) {
      const Sample sample = must(watcher.take());
      const auto envelope = sample ? read(sample.payload()) : std::nullopt;
      again = envelope && envelope->attempt > 0 && text(sample.payload().subspan(sizeof(Envelope))) == text(request);
    }
    return Exclaim{calls_}(request);
  });
  Requester asking = requester(1ms);
  int number = 0;
  int survived = 0;
  const auto ask = [&] {
    const std::string request = std::to_string(++number);
    given_up = false;
    Result<Reply> answered = asking.request(bytes(request), soon());
    given_up = true;
    const std::int64_t left = std::exchange(weir::testing::allocations_left, -1);
    // Behind it, so that it would have been executed by now.
    EXPECT_EQ(text(must(asking.request(bytes("next"), soon())).payload()), "next!");
    EXPECT_LE(executed.times(request), 1);
    if (!answered && answered.error().message().find("whether it was executed is not known") == std::string::npos) {
      EXPECT_EQ(executed.times(request), 0) << answered.error().message();
    }
    weir::testing::allocations_left = left;
    return answered;
  };
  fail_each_allocation(ask, [&](const Result<Reply>& answered, bool had_failure) {
    EXPECT_EQ(text(answered->payload()), std::to_string(number) + "!");
    survived += had_failure ? 1 : 0;
  });
  if (std::string(GetParam()) == "inproc") {  // over shm no send allocates
    EXPECT_GT(survived, 0) << "no retry failed, or one that did was taken for the end of the request";
  }
}

TEST_P(ScarceMemory, OfAReplierNeitherExecutesTwiceNorAnswersWithWhatWasKeptForAnother) {
  Replier replier = this->replier({.remembered = 1});
  Executed executed;
  const auto handler = [&](std::span<const std::byte> request) -> Result<std::vector<std::byte>> {
    EXPECT_EQ(executed.count(text(request)), 1) << text(request);
    if (text(request).starts_with("refuse")) {
      return failure(ErrorCode::not_found, "there is nothing of this kind: " + text(request));
    }
    return Exclaim{calls_}(request);
  };
  std::jthread asker([&](const std::stop_token& stop) {
    Requester asking = requester(1ms);
    for (int number = 0; !stop.stop_requested(); ++number) {
      if (number % 10 == 0) asking = requester(1ms);  // one that it does not know
      const std::string request = (number % 2 == 0 ? "refuse" : "take") + std::to_string(number);
      const auto answered = asking.request(bytes(request), never, stop);
      if (answered) {
        EXPECT_EQ(text(answered->payload()), request + "!");
      } else if (answered.error().code() == ErrorCode::not_found) {
        EXPECT_EQ(answered.error().message(), "there is nothing of this kind: " + request);
      } else if (answered.error().code() != ErrorCode::interrupted) {
        EXPECT_EQ(answered.error().code(), ErrorCode::resource_exhausted) << answered.error().message();
        EXPECT_THAT(answered.error().message(), Not(HasSubstr("there is nothing")));
      }
    }
  });
  // Several rounds: which message is met by the failure is a matter of chance.
  int failed = 0;
  for (int round = 0; round < 20; ++round) {
    failed += fail_each_allocation([&] { return replier.serve(handler, never); },
                                   [](const Result<Wake>& wake, bool) { EXPECT_EQ(*wake, Wake::ready); });
  }
  EXPECT_GT(failed, 20);
  asker.request_stop();
}

}  // namespace
}  // namespace weir::request_reply
