// What every test of the suite begins with: a sandbox, a node, peers, a watchdog, and a look at what is left.
//
//   using Ordering = ConformanceTest;
//
//   CONFORMANCE_TEST(Ordering, SamplesOfOnePublisherArriveInItsOrder, "ORD-1") {
//     NEEDS(sequence);
//     auto subscriber = peer("sink").subscriber(uri("topic", "depth=64"));
//     …
//   }
//
// When the test is over its peers are ended, which each must do properly, and the next user of the root must find no
// trace of them (CLEAN-1, judged by every test).
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include "conformance/conformance.h"
#include "conformance/harness/failure.h"
#include "conformance/harness/feature.h"
#include "conformance/harness/judgement.h"
#include "conformance/harness/peer.h"
#include "conformance/harness/sandbox.h"
#include "conformance/harness/watchdog.h"
#include "conformance/history/check.h"
#include "transport/capabilities.h"
#include "transport/node.h"
#include "transport/wait_set.h"

// A test named as a promise, with the ids of the requirements that it judges.
#define CONFORMANCE_TEST(family, promise, ...)                                                           \
  namespace {                                                                                            \
  const ::weir::conformance::Judgement judgement_##family##_##promise(#family, #promise, {__VA_ARGS__}); \
  }                                                                                                      \
  TEST_F(family, promise)

// Ends the test unless the backend promises a feature (feature.h); then it must be refused where it can be asked for.
#define NEEDS(name)                                              \
  if (!has(::weir::conformance::feature::name)) {                \
    GTEST_SKIP() << refusal(::weir::conformance::feature::name); \
  }                                                              \
  static_assert(true)

// Ends the test because this machine does not allow it.
#define INCONCLUSIVE(reason) GTEST_SKIP() << ::weir::conformance::inconclusive_mark << (reason)

// The checkers' answer as an assertion.
#define EXPECT_SOUND(...)                                                                    \
  if (const ::weir::conformance::Violations violations = (__VA_ARGS__); !violations.empty()) \
  ADD_FAILURE() << #__VA_ARGS__ << ":\n" << ::weir::conformance::join(violations)

namespace weir::conformance {

class ConformanceTest : public ::testing::Test {
 public:
  ConformanceTest(const ConformanceTest&) = delete;
  ConformanceTest& operator=(const ConformanceTest&) = delete;
  ~ConformanceTest() override;

 protected:
  ConformanceTest();
  void SetUp() override;
  void TearDown() override;

  [[nodiscard]] const BackendUnderTest& backend() const { return backend_; }
  [[nodiscard]] const Capabilities& capabilities() const { return capabilities_; }
  [[nodiscard]] const Sandbox& sandbox() const { return sandbox_; }

  // An endpoint in this sandbox; the topic percent-encoded, the options as in "depth=8&history=2".
  [[nodiscard]] std::string uri(std::string_view topic, std::string_view options = "") const;
  // The same for a topic that was not used before.
  [[nodiscard]] std::string fresh_uri(std::string_view options = "");
  // For Node::topics().
  [[nodiscard]] std::string backend_uri() const;

  // How long a test that is as good as it is long shall go on: --time-budget of a judge.
  [[nodiscard]] static std::chrono::seconds budget();

  // How often a test repeats what chance, or the manner of an end, makes different each time.
  // WEIR_CONFORMANCE_ONE_ROUND_IN=7 makes that a seventh of `all`, and the log says so. `least`: what is judged needs
  // as many; if that is not known, and the test is declared to fail always, it needs all to do so.
  [[nodiscard]] int chosen_rounds(int all, std::optional<int> least = {}) const;

  // The test's own node, for what a test does without a peer.
  [[nodiscard]] Node& node() { return *node_; }
  // Opens, or ends the test.
  [[nodiscard]] Publisher publisher(std::string_view uri, const PublisherOptions& options = {});
  [[nodiscard]] Subscriber subscriber(std::string_view uri, const SubscriberOptions& options = {});

  // Starts a peer: a process of its own, or a thread where the backend does not reach further.
  [[nodiscard]] ScriptedPeer& peer(std::string name);
  // Ends all peers now; each must end properly.
  void end_peers();

  [[nodiscard]] bool has(const Feature& feature) const { return feature.promised(capabilities_); }
  // What NEEDS says: asks for a feature that is not promised; anything but a refusal fails the test.
  [[nodiscard]] std::string refusal(const Feature& feature);

  // Order, content, announced losses and wake-ups of what a subscriber took.
  [[nodiscard]] Violations check_sound(const RemoteSubscriber& subscriber) const;

  // What is in the sandbox after another user has come and gone.
  [[nodiscard]] std::vector<std::string> entries_after_visit();
  // What was there before the test.
  [[nodiscard]] const std::vector<std::string>& entries_of_nobody() const { return entries_of_nobody_; }

 private:
  void visit();
  void look_for_leftovers();
  void set_up();
  [[nodiscard]] std::string disturbance() const;
  void settle_failures();
  // Whether it is declared to fail always.
  [[nodiscard]] bool is_to_fail() const;
  // 1: all rounds.
  [[nodiscard]] static int one_round_in();
  void report_hang();
  [[noreturn]] void end_hung();

  BackendUnderTest backend_;
  Sandbox sandbox_;
  std::shared_ptr<void> service_;
  std::optional<Node> node_;
  Capabilities capabilities_;
  std::vector<std::string> entries_of_nobody_;
  std::uint64_t fresh_topics_ = 0;
  std::mutex peers_lock_;  // between the test and the watchdog
  std::vector<std::unique_ptr<ScriptedPeer>> peers_;
  std::vector<Deviation> deviations_;  // declared for this test
  ::testing::TestPartResultArray failures_;
  std::unique_ptr<::testing::ScopedFakeTestPartResultReporter> interception_;
  std::optional<Watchdog> watchdog_;
};

}  // namespace weir::conformance
