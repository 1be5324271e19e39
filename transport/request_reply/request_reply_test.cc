// Requests and replies within one process, and with a replier that is killed. Over ZeroMQ and iceoryx they are tested
// with //examples:applications_test, as programs.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conformance/performance/temporary_root.h"
#include "transport/request_reply/replier.h"
#include "transport/request_reply/requester.h"

namespace weir {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

Deadline soon() { return after(60s); }  // only a watchdog

template <class Value>
Value must(Result<Value> result) {
  if (!result) throw std::runtime_error(result.error().message());
  if constexpr (!std::is_void_v<Value>) return std::move(*result);
}

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }
std::string text(std::span<const std::byte> payload) {
  return {reinterpret_cast<const char*>(payload.data()), payload.size()};
}

// Answers "x" by "x!", and counts.
struct Exclaim {
  std::atomic<int>& calls;
  Result<std::vector<std::byte>> operator()(std::span<const std::byte> request) const {
    ++calls;
    const std::string answer = text(request) + "!";
    return std::vector<std::byte>(bytes(answer).begin(), bytes(answer).end());
  }
};

class RequestReply : public ::testing::TestWithParam<const char*> {
 protected:
  [[nodiscard]] std::string requests(const std::string& options = "") const {
    return std::string(GetParam()) + "://requests" + options;
  }
  [[nodiscard]] std::string replies() const { return std::string(GetParam()) + "://replies"; }
  [[nodiscard]] Replier replier(const ReplierOptions& options = {}, const std::string& uri_options = "") {
    return must(Replier::open(node_, requests(uri_options), replies(), options));
  }
  [[nodiscard]] Requester requester(std::chrono::nanoseconds retry_interval = 10ms) {
    return must(Requester::open(node_, requests(), replies(), {.retry_interval = retry_interval}));
  }
  // Serves on a thread until the end of the scope.
  [[nodiscard]] std::jthread serve(Replier& replier, const Replier::Handler& handler) {
    return std::jthread([&replier, handler](const std::stop_token& stop) {
      while (must(replier.serve(handler, never, stop)) == Wake::ready) {
      }
    });
  }

  const performance::TemporaryRoot root_;
  Node node_ = must(Node::open());
  std::atomic<int> calls_{0};
};
INSTANTIATE_TEST_SUITE_P(Over, RequestReply, ::testing::Values("inproc", "shm"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(RequestReply, EachRequestIsAnsweredToWhomAsked) {
  Replier replier = this->replier();
  const auto serving = serve(replier, Exclaim{calls_});
  Requester one = requester(60s);
  Requester other = requester(60s);
  for (int number = 0; number < 100; ++number) {
    EXPECT_EQ(text(must(one.request(bytes(std::to_string(number)), soon())).payload()), std::to_string(number) + "!");
    EXPECT_EQ(text(must(other.request(bytes("x"), soon())).payload()), "x!");
  }
  EXPECT_EQ(calls_, 200);
}

TEST_P(RequestReply, AnErrorOfTheReplierIsTheRequestersError) {
  Replier replier = this->replier();
  const auto serving = serve(replier, [](std::span<const std::byte> request) -> Result<std::vector<std::byte>> {
    if (text(request) == "throw") throw std::runtime_error("thrown in the handler");
    return failure(ErrorCode::not_found, "no such thing: " + text(request));
  });
  Requester asking = requester();
  const auto refused = asking.request(bytes("a sum"), soon());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::not_found);
  EXPECT_EQ(refused.error().message(), "no such thing: a sum");
  const auto thrown = asking.request(bytes("throw"), soon());
  ASSERT_FALSE(thrown);
  EXPECT_EQ(thrown.error().code(), ErrorCode::internal);
  EXPECT_THAT(thrown.error().message(), HasSubstr("thrown in the handler"));
}

TEST_P(RequestReply, RetriesAreExecutedOnceAlsoWhenMessagesAreLost) {
  Replier replier = this->replier({}, "?depth=1");  // of the retries that wait, all but the newest are lost
  Requester asking = requester(1ms);
  std::atomic<bool> asked{false};
  std::jthread asker([&] {
    for (int number = 0; number < 50; ++number) {
      EXPECT_EQ(text(must(asking.request(bytes(std::to_string(number)), soon())).payload()),
                std::to_string(number) + "!");
    }
    asked = true;
  });
  // It is slow, so that each request is sent several times before it is looked at.
  const auto slowly = [&](std::span<const std::byte> request) {
    const Deadline end = after(3ms);
    while (!passed(end)) {
    }
    return Exclaim{calls_}(request);
  };
  while (!asked) must(replier.serve(slowly, after(10ms)));
  asker.join();
  EXPECT_EQ(calls_, 50);
  EXPECT_GT(asking.retries(), 0U) << "nothing was sent again: the test shows nothing";
  EXPECT_GT(replier.repeated(), 0U) << "no retry came to what was done: the test shows nothing";
}

TEST_P(RequestReply, WithoutAReplierNothingIsExecutedAndTheErrorSaysSo) {
  Requester asking = requester();
  const auto unheard = asking.request(bytes("x"), after(30ms));
  ASSERT_FALSE(unheard);
  EXPECT_EQ(unheard.error().code(), ErrorCode::timed_out);
  EXPECT_THAT(unheard.error().message(), HasSubstr("was not executed"));
  std::stop_source stopped;
  stopped.request_stop();
  const auto interrupted = asking.request(bytes("x"), never, stopped.get_token());
  ASSERT_FALSE(interrupted);
  EXPECT_EQ(interrupted.error().code(), ErrorCode::interrupted);
  Replier replier = this->replier();
  const auto serving = serve(replier, Exclaim{calls_});
  EXPECT_EQ(text(must(asking.request(bytes("x"), soon())).payload()), "x!");
  EXPECT_EQ(calls_, 1);
}

TEST_P(RequestReply, ADeadlineWhileTheReplierWorksSaysThatItMayStillBeExecuted) {
  Replier replier = this->replier();
  Requester asking = requester();
  std::atomic<bool> go_on{false};
  const auto serving = serve(replier, [&](std::span<const std::byte> request) {
    while (!go_on) std::this_thread::yield();
    return Exclaim{calls_}(request);
  });
  const auto late = asking.request(bytes("slow"), after(50ms));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), ErrorCode::timed_out);
  EXPECT_THAT(late.error().message(), HasSubstr("may still execute it"));
  go_on = true;
  EXPECT_EQ(text(must(asking.request(bytes("next"), soon())).payload()), "next!") << "the late reply was taken for it";
}

TEST_P(RequestReply, AReplierThatIsStartedAnewDoesNotExecuteWhatWasMeantForTheFormer) {
  Requester asking = requester();
  std::optional<Replier> replier(this->replier());
  {
    const auto serving = serve(*replier, Exclaim{calls_});
    must(asking.request(bytes("first"), soon()));
  }
  std::jthread asker([&] {
    const auto lost = asking.request(bytes("second"), soon());
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().code(), ErrorCode::closed);
    EXPECT_THAT(lost.error().message(), HasSubstr("is not known"));
  });
  Subscriber watcher = must(node_.subscriber(requests()));
  while (must(watcher.wait(soon())) == Wake::ready) {  // until it was asked at least once
    if (must(watcher.take())) break;
  }
  replier.emplace(this->replier());
  const auto serving = serve(*replier, Exclaim{calls_});
  asker.join();
  EXPECT_EQ(calls_, 1);
  EXPECT_EQ(text(must(asking.request(bytes("third"), soon())).payload()), "third!");
  EXPECT_EQ(calls_, 2);
}

TEST_P(RequestReply, ARequesterThatWasForgottenIsToldAndNotExecuted) {
  Replier replier = this->replier({.remembered = 1});
  Requester one = requester();
  Requester other = requester();
  {
    const auto serving = serve(replier, Exclaim{calls_});
    must(one.request(bytes("x"), soon()));
    must(other.request(bytes("x"), soon()));
    const auto forgotten = one.request(bytes("x"), soon());
    ASSERT_FALSE(forgotten);
    EXPECT_EQ(forgotten.error().code(), ErrorCode::closed);
    EXPECT_EQ(calls_, 2);
    EXPECT_EQ(text(must(one.request(bytes("x"), soon())).payload()), "x!") << "it meets the replier again";
  }
}

// ---- Death ----

class DeadReplier : public RequestReply {};
INSTANTIATE_TEST_SUITE_P(Over, DeadReplier, ::testing::Values("shm"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(DeadReplier, InTheMiddleOfARequestIsAnErrorAtOnceAndTheNextOneServes) {
  const pid_t child = fork();
  if (child == 0) {
    Node node = must(Node::open());
    Replier replier = must(Replier::open(node, requests(), replies()));
    const auto dying = [](std::span<const std::byte> request) -> Result<std::vector<std::byte>> {
      if (text(request) == "die") raise(SIGKILL);
      return std::vector<std::byte>(request.begin(), request.end());
    };
    while (replier.serve(dying, soon())) {
    }
    _exit(1);
  }
  Requester asking = requester();
  EXPECT_EQ(text(must(asking.request(bytes("live"), soon())).payload()), "live");
  const auto lost = asking.request(bytes("die"), soon());
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code(), ErrorCode::closed) << lost.error().message();
  EXPECT_THAT(lost.error().message(), HasSubstr("whether it executed the request is not known"));
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  Replier next = replier();
  const auto serving = serve(next, Exclaim{calls_});
  EXPECT_EQ(text(must(asking.request(bytes("again"), soon())).payload()), "again!");
}

}  // namespace
}  // namespace weir
