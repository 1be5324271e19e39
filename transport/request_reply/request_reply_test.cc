// Requests and replies within one process. Over ZeroMQ and iceoryx they are tested with //examples:applications_test,
// as programs.
#include <atomic>
#include <optional>
#include <string>
#include <thread>

#include <gmock/gmock.h>

#include "transport/request_reply/test_fixture.h"

namespace weir::request_reply {
namespace {

using ::testing::HasSubstr;

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
  // Of what waits all but the newest two are lost: the last retry, and the next request behind it.
  Replier replier = this->replier({}, "?depth=2");
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
    const Deadline end = after(5ms);
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
  std::atomic<bool> go_on{true};
  const auto serving = serve(replier, [&](std::span<const std::byte> request) {
    while (!go_on) std::this_thread::yield();
    return Exclaim{calls_}(request);
  });
  must(asking.request(bytes("first"), soon()));  // they have met
  go_on = false;
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

TEST_P(RequestReply, AServerServesOneRequestAtATimeAndStopsWhileOthersWait) {
  Replier replier = this->replier();
  std::atomic<int> waiting{0};
  std::atomic<bool> ended{false};
  const Deadline watchdog = soon();
  const auto ask = [&] {
    Requester asking = requester();
    while (!ended && !passed(watchdog)) {
      ++waiting;
      const auto answered = asking.request(bytes("x"), after(100ms));
      --waiting;
      EXPECT_TRUE(answered || ended || answered.error().code() == ErrorCode::timed_out);
    }
  };
  std::jthread one(ask);
  std::jthread other(ask);
  // While it works, the other asks.
  const auto slowly = [&](std::span<const std::byte> request) {
    while (waiting < 2 && !passed(watchdog)) std::this_thread::yield();
    const Deadline end = after(1ms);
    while (!passed(end)) {
    }
    return Exclaim{calls_}(request);
  };
  int served = 0;
  std::jthread server([&](const std::stop_token& stop) {
    while (must(replier.serve(slowly, never, stop)) == Wake::ready) ++served;
  });
  while (calls_ < 20 && !passed(watchdog)) std::this_thread::yield();
  server.request_stop();
  server.join();
  EXPECT_FALSE(passed(watchdog)) << "it ended only when nobody asked any more";
  ended = true;
  EXPECT_EQ(served, calls_);
}

TEST_P(RequestReply, AStopTokenEndsAServerBeforeWhatWaits) {
  Replier replier = this->replier();
  Subscriber watcher = must(node_.subscriber(requests()));
  std::jthread asker([&] {
    Requester asking = requester(1ms);
    EXPECT_EQ(text(must(asking.request(bytes("x"), soon())).payload()), "x!");
  });
  std::stop_source stopped;
  const Wake served = must(replier.serve(
      [&](std::span<const std::byte> request) {
        for (bool again = false; !again;) {  // so that its retry waits
          const Sample sample = must(watcher.take());
          const auto envelope = sample ? read(sample.payload()) : std::nullopt;
          again = envelope && envelope->kind == Kind::request && envelope->attempt > 0;
        }
        stopped.request_stop();
        return Exclaim{calls_}(request);
      },
      never, stopped.get_token()));
  EXPECT_EQ(served, Wake::ready);
  EXPECT_EQ(must(replier.serve(Exclaim{calls_}, never, stopped.get_token())), Wake::interrupted);
  EXPECT_EQ(replier.repeated(), 0U);
}

TEST_P(RequestReply, AReplyThatIsHeldBackIsSentOnceThereIsRoomAndTheServerGoesOn) {
  Replier replier = this->replier({}, "", "?grant=reject");
  std::optional<Subscriber> clog(must(node_.subscriber(replies("?policy=lossless&depth=1"))));
  std::atomic<bool> asked{false};
  std::jthread asker([&] {
    Requester asking = requester(1ms);
    EXPECT_EQ(text(must(asking.request(bytes("x"), soon())).payload()), "x!");
    asked = true;
  });
  while (!asked) {
    must(replier.serve(Exclaim{calls_}, after(1ms)));
    if (replier.repeated() >= 3) clog.reset();
  }
  EXPECT_GE(replier.repeated(), 3U) << "nothing was held back: the test shows nothing";
  EXPECT_EQ(calls_, 1);
}

TEST_P(RequestReply, AReplyForWhoseMemoryOthersMustLetGoIsSentThen) {
  const std::string large(60'000, 'x');
  Replier replier = this->replier({}, "", "?memory=100KiB");  // for one reply
  std::optional<Subscriber> clog(must(node_.subscriber(replies())));
  std::atomic<int> answered{0};
  std::jthread asker([&] {
    Requester asking = requester(1ms);
    for (; answered < 2; ++answered) EXPECT_EQ(text(must(asking.request(bytes(large), soon())).payload()), large + "!");
  });
  Sample in_hand;
  std::uint64_t repeated_before = 0;
  while (answered < 2) {
    must(replier.serve(Exclaim{calls_}, after(1ms)));
    while (calls_ == 1 && in_hand.payload().size() <= large.size()) in_hand = must(clog->take());
    if (calls_ == 1) repeated_before = replier.repeated();
    if (calls_ == 2 && replier.repeated() >= repeated_before + 3) {
      in_hand.release();
      clog.reset();
    }
  }
  EXPECT_GE(replier.repeated(), repeated_before + 3) << "memory was never short: the test shows nothing";
  EXPECT_EQ(calls_, 2);
}

TEST_P(RequestReply, ARetryThatFindsNoMemoryBesideTheRequestDoesNotGiveUp) {
  Replier replier = this->replier();
  Requester asking =
      must(Requester::open(node_, requests("?memory=100KiB"), replies(), {.retry_interval = 1ms}));  // for one request
  std::atomic<bool> given_up{false};
  std::stop_source stopped;
  std::jthread serving([&] {
    must(replier.serve(
        [&](std::span<const std::byte> request) {
          given_up.wait(false);
          return Exclaim{calls_}(request);
        },
        soon(), stopped.get_token()));
  });
  const auto unanswered = asking.request(std::vector<std::byte>(60'000), after(50ms));
  EXPECT_FALSE(unanswered);
  EXPECT_EQ(unanswered.error().code(), ErrorCode::timed_out) << unanswered.error().message();
  EXPECT_GE(asking.retries(), 1U);
  given_up = true;
  given_up.notify_all();
}

TEST_P(RequestReply, AnErrorWhoseTextDoesNotFitIsStillARefusalAndTheServerGoesOn) {
  Replier replier = this->replier({}, "", "?max_payload=50");
  const auto serving = serve(replier, [this](std::span<const std::byte> request) -> Result<std::vector<std::byte>> {
    if (text(request) == "long") return failure(ErrorCode::not_found, std::string(100, 'x'));
    return Exclaim{calls_}(request);
  });
  Requester asking = requester();
  for (const std::string request : {"long", "much too long for fifty bytes"}) {
    const auto refused = asking.request(bytes(request), soon());
    ASSERT_FALSE(refused) << request;
    EXPECT_EQ(refused.error().code(), ErrorCode::limit_exceeded) << refused.error().message();
    EXPECT_THAT(refused.error().message(), HasSubstr("executed"));
  }
  EXPECT_EQ(text(must(asking.request(bytes("short"), soon())).payload()), "short!");
}

}  // namespace
}  // namespace weir::request_reply
