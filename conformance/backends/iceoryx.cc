// iceoryx://, each test with a RouDi of its own in a /tmp and a /dev/shm of the test program's own.
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <gtest/gtest.h>

#include "adapters/iceoryx/roudi_process.h"
#include "adapters/iceoryx/testing/private_mounts.h"
#include "conformance/backends/starvation.h"
#include "conformance/conformance.h"
#include "conformance/harness/failure.h"

namespace weir::conformance {
namespace {

// Before main(), as the mounts must be entered without threads. The peers are this program too, and share them.
[[maybe_unused]] const bool in_private_mounts = [] {
  constexpr const char* mark = "WEIR_TEST_IN_PRIVATE_MOUNTS";
  if (std::getenv(mark) != nullptr) return true;
  if (const std::string reason = iceoryx::enter_private_mounts(); !reason.empty()) {
    std::fprintf(stderr, "this machine does not allow a RouDi for each test: %s\n", reason.c_str());
    std::_Exit(1);
  }
  ::setenv(mark, "1", 1);
  // Ahead of other programs, where that is allowed: RouDi takes a process that gets no processor for 1.5 s for dead.
  constexpr int ahead = -10;
  static_cast<void>(::setpriority(PRIO_PROCESS, 0, ahead));
  return true;
}();

// As much as the test needs and no more: RouDi writes to all of it when it starts, and a machine that is short of
// memory takes seconds for a few hundred mebibytes.
std::vector<iceoryx::Pool> pools() {
  constexpr std::uint64_t kibibyte = 1024;
  constexpr std::uint64_t mebibyte = 1024 * kibibyte;
  const ::testing::TestInfo* info = ::testing::UnitTest::GetInstance()->current_test_info();
  const std::string_view test = info == nullptr ? "" : info->name();
  const std::string_view family = info == nullptr ? "" : info->test_suite_name();
  const bool many = family == "Data" || family == "Crash" || family == "Cleanup";
  std::vector<iceoryx::Pool> pools{{.payload = 256, .count = 8192},
                                   {.payload = 4 * kibibyte, .count = 1024},
                                   {.payload = 80 * kibibyte, .count = many ? 512U : 64U},
                                   {.payload = mebibyte + 80 * kibibyte, .count = many ? 64U : 8U}};
  if (family == "Limits" || family == "Data") pools.push_back({.payload = 4 * mebibyte, .count = 6});
  if (test == "AQuarterOfAGibibyteArrivesWhole")
    pools.push_back({.payload = 256 * mebibyte + 80 * kibibyte, .count = 1});
  return pools;
}

// RouDi takes a process that gets no processor for 1.5 s for dead, as may happen beside other tests. So it looks after
// its processes only where tests are about what it does then; a test in which it was wrong is inconclusive.
bool is_about_deaths() {
  const ::testing::TestInfo* test = ::testing::UnitTest::GetInstance()->current_test_info();
  const std::string_view family = test == nullptr ? "" : test->test_suite_name();
  return family == "Cleanup" || family == "Crash" || family == "KillPoints" || family == "Membership" ||
         family == "Random";
}

// A RouDi, and after its end what it was wrong about.
class Roudi {
 public:
  explicit Roudi(std::shared_ptr<Starvation> starvation) : starvation_(std::move(starvation)) {
    auto started = iceoryx::RoudiProcess::start(pools(), is_about_deaths(), starvation_->log());
    starvation_->started();
    if (!started) throw HarnessFailure(started.error().message());
    process_ = std::move(*started);
  }
  Roudi(const Roudi&) = delete;
  Roudi& operator=(const Roudi&) = delete;
  ~Roudi() {
    process_.reset();
    starvation_->ended();
  }

 private:
  std::shared_ptr<Starvation> starvation_;
  std::unique_ptr<iceoryx::RoudiProcess> process_;
};

std::vector<Deviation> deviations() {
  using enum Deviation::Kind;
  const std::string names = "iceoryx's names have at most 100 bytes";
  const std::string shared_queue = "a subscriber of iceoryx has one queue, whose depth all publishers share";
  const std::string slow_reclaim =
      "RouDi takes back what a killed process had when it has missed its keep-alive, after 1.5 s";
  const std::string deadlock =
      "RouDi waits for ever for the mutex of a process that was killed while it held it, or ends itself over it";
  const std::string stopped = "RouDi waits for the mutex of a process that was stopped while it held it";
  // Seen with a debugger: IndexQueue<256>::push in the subscriber, IndexQueue<256>::pop under
  // ResizeableLockFreeQueue::pushImpl in the publisher, which tries again for ever.
  const std::string in_flight =
      "a publisher spins in a full queue while the subscriber is stopped between taking a chunk and giving its place "
      "back";
  const std::string deadlock_issues = "eclipse-iceoryx/iceoryx issues 325, 779, 1546, 2193, 2304";
  return {
      {"OPEN-1", always, names, {}, "TopicsOfUpTo1024BytesWork"},
      {"OPEN-1", always, names, {}, "LongTopicsThatDifferInTheLastByteAreDifferent"},
      {"LIMIT-8", always, shared_queue, {}, "ManyPublishersShareATopic"},
      {"CLEAN-4", always, shared_queue, {}, "RemainsOfTheDeadDoNotPileUpInATopicThatLives"},
      {"CRASH-3", always, shared_queue, {}, "SamplesOfManyDeadPublishersAreKeptApart"},
      {"CLEAN-2", always, slow_reclaim, {}, "TheHistoryOfTheLastPublisherStaysWhoeverElseGoes"},
      {"CLEAN-11", always, slow_reclaim, {}, "TheNextUserFindsNoTraceOfAKilledTopicsPast"},
      {"CRASH-22", always, slow_reclaim, {}, "ATopicWhoseUsersWereAllKilledWorksAgain"},
      {"CRASH-20", always, slow_reclaim, {}, "ABlockedPublisherIsFreedWithinFiveMilliseconds"},
      {"CRASH-8", may, deadlock, deadlock_issues, "APublisherKilledAtAnyMomentLeavesAPrefix"},
      {"CRASH-8", may, deadlock, deadlock_issues, "ALosslessSubscriberLosesNothingOfPublishersKilledAtAnyMoment"},
      {"CRASH-23", may, deadlock, deadlock_issues},
      {"CRASH-9", may, in_flight, {}, "ADroppingSubscriberStoppedAtAnyMomentHarmsNobodyAndLosesExactly"},
      {"CRASH-11", may, stopped, deadlock_issues, "AStoppedPublisherIsNotTakenForDeadAndGoesOnInSequence"},
      {"CRASH-12", may, deadlock, deadlock_issues, "APublisherGoesOnUndisturbedWhileOthersAreKilled"},
  };
}

}  // namespace

BackendUnderTest backend_under_test() {
  // Of one test, as this is called for each.
  const auto starvation = std::make_shared<std::shared_ptr<Starvation>>();
  return {.name = "iceoryx",
          .endpoint = "iceoryx://conformance/{sandbox}/{topic}",
          .deviations = deviations(),
          .prepare =
              [starvation](const Sandbox& /*sandbox*/) {
                *starvation = std::make_shared<Starvation>();
                return std::make_shared<Roudi>(*starvation);
              },
          .disturbance = [starvation] { return *starvation ? (*starvation)->found() : ""; }};
}

}  // namespace weir::conformance
