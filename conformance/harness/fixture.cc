#include "conformance/harness/fixture.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace weir::conformance {
namespace {

// A number of seconds that a judge gives by this variable, or the usual one.
std::chrono::seconds seconds_given(const char* variable, std::chrono::seconds usual) {
  const char* given = std::getenv(variable);
  const int seconds = given == nullptr ? 0 : std::atoi(given);
  return seconds > 0 ? std::chrono::seconds(seconds) : usual;
}

// How long a test may take before it counts as hung.
std::chrono::seconds patience() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr std::chrono::seconds usual(240);
#else
  constexpr std::chrono::seconds usual(60);
#endif
  return seconds_given("WEIR_CONFORMANCE_PATIENCE", usual);
}
constexpr std::chrono::seconds grace(10);

// The deviations declared for the test that is running.
std::vector<Deviation> deviations_of_this_test(const BackendUnderTest& backend) {
  const ::testing::TestInfo* test = ::testing::UnitTest::GetInstance()->current_test_info();
  const Judgement* judgement = find_judgement(test->test_suite_name(), test->name());
  std::vector<Deviation> declared;
  if (judgement == nullptr) return declared;
  for (const Deviation& deviation : backend.deviations) {
    const auto& judged = judgement->requirements;
    if (std::find(judged.begin(), judged.end(), deviation.requirement) != judged.end() &&
        (deviation.test.empty() || deviation.test == judgement->promise)) {
      declared.push_back(deviation);
    }
  }
  return declared;
}

// A failure that was kept from GoogleTest until now.
void pass_on(const ::testing::TestPartResult& failure) {
  constexpr std::string_view failed = "Failed\n";  // GoogleTest will say so again
  std::string_view message = failure.message();
  if (message.starts_with(failed)) message.remove_prefix(failed.size());
  ADD_FAILURE_AT(failure.file_name() == nullptr ? "unknown file" : failure.file_name(), failure.line_number())
      << message;
}

// One step of the end of a test. What it throws is a failure like any other, and the steps after it are taken.
template <class Step>
void take_last_step(Step step) {
  try {
    step();
  } catch (const std::exception& thrown) {
    ADD_FAILURE() << "at the end of the test: " << thrown.what();
  }
}

}  // namespace

ConformanceTest::ConformanceTest() : backend_(backend_under_test()) {}
ConformanceTest::~ConformanceTest() = default;

std::chrono::seconds ConformanceTest::budget() {
  return seconds_given("WEIR_CONFORMANCE_BUDGET", std::chrono::seconds(3));
}

int ConformanceTest::one_round_in() {
  const char* given = std::getenv("WEIR_CONFORMANCE_ONE_ROUND_IN");
  return given == nullptr ? 1 : std::max(std::atoi(given), 1);
}

bool ConformanceTest::is_to_fail() const {
  return std::any_of(deviations_.begin(), deviations_.end(),
                     [](const Deviation& deviation) { return deviation.kind == Deviation::Kind::always; });
}

int ConformanceTest::chosen_rounds(int all, std::optional<int> least) const {
  const int part = one_round_in();
  const int enough = least ? *least : is_to_fail() ? all : 1;
  const int chosen = std::max((all + part - 1) / part, enough);
  if (chosen < all) fmt::print("{} of {} rounds\n", chosen, all);
  return chosen;
}

void ConformanceTest::SetUp() {
  try {
    set_up();
  } catch (const HarnessFailure& failure) {
    service_.reset();
    const std::string disturbed = disturbance();
    if (disturbed.empty()) throw;
    INCONCLUSIVE(disturbed) << ", and the set-up failed: " << failure.what();
  }
}

void ConformanceTest::set_up() {
  deviations_ = deviations_of_this_test(backend_);
  watchdog_.emplace(patience(), grace,
                    Watchdog::Actions{.end_peers = [this] { report_hang(); }, .end_process = [this] { end_hung(); }});
  if (backend_.prepare) service_ = backend_.prepare(sandbox_);
  node_.emplace(must(Node::open(), "opening a node"));
  capabilities_ = must(node_->capabilities(uri("capabilities")), "asking for the capabilities");
  visit();
  entries_of_nobody_ = sandbox_.entries();
  // Not before: GoogleTest must see a set-up that fails, or it runs the test without what was to be set up.
  if (!deviations_.empty() || backend_.disturbance) {
    interception_ = std::make_unique<::testing::ScopedFakeTestPartResultReporter>(
        ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ALL_THREADS, &failures_);
  }
}

void ConformanceTest::TearDown() {
  take_last_step([this] { end_peers(); });
  take_last_step([this] {
    if (node_) look_for_leftovers();
  });
  node_.reset();
  service_.reset();
  if (waitpid(-1, nullptr, WNOHANG) != -1 || errno != ECHILD) ADD_FAILURE() << "a child process is left";
  if (watchdog_->expired()) ADD_FAILURE() << "the test hung, and its peers were ended by the watchdog";
  watchdog_.reset();
  settle_failures();
}

std::string ConformanceTest::uri(std::string_view topic, std::string_view options) const {
  std::string text = fmt::format(fmt::runtime(backend_.endpoint), fmt::arg("topic", topic),
                                 fmt::arg("root", sandbox_.root()), fmt::arg("sandbox", sandbox_.name()));
  if (!options.empty()) text += (text.find('?') == std::string::npos ? '?' : '&') + std::string(options);
  return text;
}

std::string ConformanceTest::fresh_uri(std::string_view options) {
  return uri(fmt::format("fresh{}", ++fresh_topics_), options);
}

std::string ConformanceTest::backend_uri() const {
  Endpoint endpoint = must(Endpoint::parse(uri("any")), "the backend's endpoint");
  endpoint.topic.clear();
  return endpoint.text();
}

Publisher ConformanceTest::publisher(std::string_view uri, const PublisherOptions& options) {
  return must(node_->publisher(uri, options), "opening a publisher");
}
Subscriber ConformanceTest::subscriber(std::string_view uri, const SubscriberOptions& options) {
  return must(node_->subscriber(uri, options), "opening a subscriber");
}

ScriptedPeer& ConformanceTest::peer(std::string name) {
  auto started =
      std::make_unique<ScriptedPeer>(std::move(name), has(feature::processes) ? Home::process : Home::thread);
  const std::lock_guard<std::mutex> lock(peers_lock_);
  return *peers_.emplace_back(std::move(started));
}

void ConformanceTest::end_peers() {
  for (const auto& peer : peers_) {
    if (const std::string fault = peer->end(); !fault.empty()) ADD_FAILURE() << fault << '\n' << peer->story();
  }
  const std::lock_guard<std::mutex> lock(peers_lock_);
  peers_.clear();
}

std::string ConformanceTest::refusal(const Feature& feature) {
  std::string text = std::string(unsupported_mark) + std::string(feature.name) + " is not promised";
  if (feature.ask == nullptr) return text;
  const Status asked = feature.ask(*node_, [this](std::string_view options) { return fresh_uri(options); });
  if (asked) {
    ADD_FAILURE() << feature.name << " is not promised, but was not refused when it was asked for";
  } else if (asked.error().code() != ErrorCode::unsupported) {
    ADD_FAILURE() << feature.name << " is not promised and was refused with " << weir::to_string(asked.error().code())
                  << " instead of unsupported: " << asked.error().message();
  }
  return text + ", and was refused when it was asked for";
}

Violations ConformanceTest::check_sound(const RemoteSubscriber& subscriber) const {
  const auto events = subscriber.events();
  Violations violations = check_order(events);
  append(violations, check_content(events));
  append(violations, check_wakes(events));
  if (capabilities_.exact_loss) append(violations, check_losses(events));
  return violations;
}

void ConformanceTest::visit() {
  // A user that was not there before; whether it gets a publisher and a subscriber is judged elsewhere.
  Node visitor = must(Node::open(), "opening a node");
  const auto publisher = visitor.publisher(uri("visitor"));
  const auto subscriber = visitor.subscriber(uri("visitor"));
}

std::vector<std::string> ConformanceTest::entries_after_visit() {
  visit();
  return sandbox_.entries();
}

void ConformanceTest::look_for_leftovers() {
  std::vector<std::string> left;
  for (const std::string& entry : entries_after_visit()) {
    if (!std::binary_search(entries_of_nobody_.begin(), entries_of_nobody_.end(), entry)) left.push_back(entry);
  }
  if (!left.empty()) ADD_FAILURE() << "CLEAN-1: the next user of the root finds: " << fmt::format("{}", left);
}

std::string ConformanceTest::disturbance() const { return backend_.disturbance ? backend_.disturbance() : ""; }

void ConformanceTest::settle_failures() {
  if (!interception_) return;
  interception_.reset();
  bool failed = false;
  std::string skip;
  for (int at = 0; at < failures_.size(); ++at) {
    failed = failed || failures_.GetTestPartResult(at).failed();
    if (failures_.GetTestPartResult(at).skipped()) skip = failures_.GetTestPartResult(at).message();
  }
  const std::string disturbed = failed ? disturbance() : "";
  if (!disturbed.empty()) {
    for (int at = 0; at < failures_.size(); ++at) std::cout << failures_.GetTestPartResult(at);
    INCONCLUSIVE(disturbed);
  }
  if (deviations_.empty()) {
    for (int at = 0; at < failures_.size(); ++at) {
      if (failures_.GetTestPartResult(at).failed()) pass_on(failures_.GetTestPartResult(at));
    }
    if (!skip.empty()) GTEST_SKIP() << skip;
    return;
  }
  const bool always = is_to_fail();
  if (!always) VerdictWriter::note_declared_may_fail();
  if (failed) {
    VerdictWriter::note_known_deviation(deviations_.front().reason);
    return;
  }
  if (!skip.empty()) GTEST_SKIP() << skip;
  for (const Deviation& deviation : deviations_) {
    if (deviation.kind == Deviation::Kind::always) {
      ADD_FAILURE() << "passed, although it is declared always to fail: " << deviation.requirement << ": "
                    << deviation.reason << ": take the declaration back";
    }
  }
}

void ConformanceTest::report_hang() {
  const ::testing::TestInfo* test = ::testing::UnitTest::GetInstance()->current_test_info();
  fmt::print(stderr, "conformance: {}.{} has not ended for {} s\n", test->test_suite_name(), test->name(),
             patience().count());
  const std::lock_guard<std::mutex> lock(peers_lock_);
  for (const auto& peer : peers_) fmt::print(stderr, "{}", peer->story());
  for (const auto& peer : peers_) peer->kill_at_once();
}

void ConformanceTest::end_hung() {
  std::fputs("conformance: the test hangs by itself: ending it\n", stderr);
  verdict_writer()->write_hung();
  sandbox_.remove();
  _exit(1);
}

}  // namespace weir::conformance
