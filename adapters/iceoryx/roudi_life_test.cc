// RouDi comes, goes, is replaced, and is stuck.
#include <semaphore.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "adapters/iceoryx/limits.h"
#include "adapters/iceoryx/probe.h"
#include "adapters/iceoryx/testing/program.h"
#include "adapters/iceoryx/testing/roudi_test.h"

namespace weir::iceoryx {
namespace {

using Clock = std::chrono::steady_clock;
using ::testing::HasSubstr;

constexpr std::string_view uri = "iceoryx://Life/Of/Roudi?depth=8";
// What a busy machine may add to a time that is stated.
constexpr std::chrono::milliseconds busy(2500);

std::vector<std::string> entries(const char* directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (!entry.is_directory()) names.push_back(entry.path().string());
  }
  return names;
}

class RoudiLife : public RoudiTest {
 protected:
  // It stands still once this has returned: the signal alone lets its threads go on for a while.
  void stop_roudi() {
    ::kill(roudi_->pid(), SIGSTOP);
    siginfo_t stopped{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(roudi_->pid()), &stopped, WSTOPPED | WNOWAIT), 0);
  }

  // A subscriber that waits is told, in time.
  static void expect_noticed(Subscriber& subscriber, std::chrono::milliseconds limit) {
    const auto begun = Clock::now();
    const auto wake = subscriber.wait(after(patience));
    ASSERT_FALSE(wake);
    EXPECT_EQ(wake.error().code(), ErrorCode::unavailable) << wake.error().message();
    EXPECT_LE(Clock::now() - begun, limit + busy);
  }
  static void expect_unavailable(Publisher& publisher, Subscriber& subscriber) {
    const auto begun = Clock::now();
    const auto loan = publisher.loan(8);
    ASSERT_FALSE(loan);
    EXPECT_EQ(loan.error().code(), ErrorCode::unavailable);
    EXPECT_EQ(publisher.wait_for_subscribers(1, never).error().code(), ErrorCode::unavailable);
    EXPECT_EQ(publisher.wait(never).error().code(), ErrorCode::unavailable);
    EXPECT_EQ(subscriber.take().error().code(), ErrorCode::unavailable);
    EXPECT_EQ(subscriber.wait(never).error().code(), ErrorCode::unavailable);
    EXPECT_LE(Clock::now() - begun, busy);
  }
};

TEST_F(RoudiLife, WithoutRoudiAnErrorWithinASecondSaysHowToStartIt) {
  roudi_.reset();
  const auto begun = Clock::now();
  const auto publisher = node().publisher(uri);
  EXPECT_LE(Clock::now() - begun, std::chrono::seconds(1) + busy);
  ASSERT_FALSE(publisher);
  EXPECT_EQ(publisher.error().code(), ErrorCode::unavailable);
  EXPECT_THAT(publisher.error().message(), HasSubstr("iox-roudi"));
  EXPECT_THAT(publisher.error().message(), HasSubstr("roudi=spawn"));
}

TEST_F(RoudiLife, ARoudiThatIsStuckIsAnErrorWithinASecond) {
  stop_roudi();
  const auto begun = Clock::now();
  const auto publisher = node().publisher(uri);
  EXPECT_LE(Clock::now() - begun, std::chrono::seconds(1) + busy);
  ::kill(roudi_->pid(), SIGCONT);
  ASSERT_FALSE(publisher);
  EXPECT_EQ(publisher.error().code(), ErrorCode::unavailable);
  EXPECT_THAT(publisher.error().message(), HasSubstr("does not answer"));
  EXPECT_TRUE(node().publisher(uri)) << "it works again";
}

TEST_F(RoudiLife, ASpawnedRoudiEndsWithItsLastUserAndLeavesNothing) {
  roudi_.reset();
  const auto before_tmp = entries("/tmp");
  const auto before_memory = entries("/dev/shm");
  for (int round = 0; round < 3; ++round) {
    Publisher publisher = this->publisher("iceoryx://Life/Of/Roudi?roudi=spawn&max_payload=4096");
    Subscriber subscriber = this->subscriber(uri);
    must(publisher.send(std::vector<std::byte>(4096)), "send");
    Sample last = next(subscriber);
    { const Publisher gone = std::move(publisher); }
    { const Subscriber gone = std::move(subscriber); }
    EXPECT_EQ(last.payload().size(), 4096U);  // the last user is a sample
    EXPECT_TRUE(std::filesystem::exists("/tmp/roudi"));
    last.release();
    EXPECT_EQ(entries("/tmp"), before_tmp);
    EXPECT_EQ(entries("/dev/shm"), before_memory);
  }
}

TEST_F(RoudiLife, ASpawnedRoudiEndsWhenItsProcessIsKilled) {
  roudi_.reset();
  Program peer("adapters/iceoryx/peer", {"publish", "iceoryx://Life/Of/Roudi?roudi=spawn", "1000"});
  peer.expect("ready");
  Subscriber subscriber = this->subscriber(uri);
  (void)next(subscriber);
  peer.kill();
  // What is still queued comes first.
  while (true) {
    const auto wake = subscriber.wait(after(patience));
    if (!wake) {
      EXPECT_EQ(wake.error().code(), ErrorCode::unavailable);
      break;
    }
    (void)subscriber.take();
  }
}

TEST_F(RoudiLife, ADeadRoudiIsNoticedInTimeAndWhatWasReceivedStaysReadable) {
  Publisher publisher = this->publisher(uri);
  Subscriber subscriber = this->subscriber(uri);
  for (int count = 0; count < 3; ++count) must(publisher.send(std::vector<std::byte>(100)), "send");
  Subscriber idle = this->subscriber("iceoryx://Life/Of/Nobody");
  const Sample in_hand = next(subscriber);
  roudi_.reset();
  expect_noticed(idle, detection_limit);
  EXPECT_EQ(must(subscriber.take(), "take").sequence(), 1U);
  EXPECT_EQ(must(subscriber.take(), "take").sequence(), 2U);
  expect_unavailable(publisher, subscriber);
  EXPECT_EQ(in_hand.payload().size(), 100U);
  EXPECT_EQ(node().publisher(uri).error().code(), ErrorCode::unavailable);
}

TEST_F(RoudiLife, ARestartedRoudiIsNoticedAndServesWhoeverOpensAnew) {
  {
    Publisher publisher = this->publisher(uri);
    Subscriber subscriber = this->subscriber(uri);
    roudi_.reset();
    start_roudi();
    expect_noticed(subscriber, detection_limit);
    expect_unavailable(publisher, subscriber);
  }
  Publisher publisher = this->publisher(uri);
  Subscriber subscriber = this->subscriber(uri);
  must(publisher.send({}), "send");
  EXPECT_EQ(next(subscriber).sequence(), 0U);
}

TEST_F(RoudiLife, AStuckRoudiIsNoticedInTimeAndNothingHangs) {
  std::optional<Publisher> publisher = this->publisher(uri);
  std::optional<Subscriber> subscriber = this->subscriber(uri);
  stop_roudi();
  expect_noticed(*subscriber, deadlock_limit);
  expect_unavailable(*publisher, *subscriber);
  const auto begun = Clock::now();
  publisher.reset();
  subscriber.reset();
  EXPECT_LE(Clock::now() - begun, request_limit + busy);
}

TEST_F(RoudiLife, ARoudiThatCannotBeAskedForWantOfDescriptorsIsNotTakenForGone) {
  const auto before = listening_roudi();
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit none{.rlim_cur = 0, .rlim_max = limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto meanwhile = listening_roudi();
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ASSERT_TRUE(before);
  EXPECT_EQ(meanwhile, before);
}

sem_t terminated;  // posted by the handler, which may be called in any thread

TEST_F(RoudiLife, TheSignalThatAnEndingRoudiSendsIsTheApplicationsOwn) {
  struct sigaction action {};
  sem_init(&terminated, 0, 0);
  action.sa_handler = [](int) { sem_post(&terminated); };
  struct sigaction before {};
  sigaction(SIGTERM, &action, &before);
  Subscriber subscriber = this->subscriber(uri);
  ::kill(roudi_->pid(), SIGTERM);
  while (sem_wait(&terminated) != 0) {  // the watchdog is the test's time limit
  }
  // RouDi waits for its processes to end: we do not have to, and notice when it is gone.
  roudi_.reset();
  const auto wake = subscriber.wait(after(patience));
  ASSERT_FALSE(wake);
  EXPECT_EQ(wake.error().code(), ErrorCode::unavailable);
  sigaction(SIGTERM, &before, nullptr);
}

}  // namespace
}  // namespace weir::iceoryx
