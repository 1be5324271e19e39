// What the fixture makes of a test: verdicts, deviations, leftovers. The tests that it is tried on are disabled, and
// run one by one in a process of their own.
#include "conformance/harness/fixture.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "transport/backend.h"
#include "transport/inproc/backend.h"

namespace weir::conformance {
namespace {

bool no_more_nodes = false;

// What disturbed the running test.
std::string disturbed;

// inproc://, which can come to refuse every node.
const spi::Registration registration([]() -> std::shared_ptr<spi::Backend> {
  if (no_more_nodes) throw HarnessFailure("no more nodes");
  return std::make_shared<inproc::InprocBackend>();
});

// The service of the backend, which does not come up for one of the tests.
std::shared_ptr<void> start_service(const Sandbox& /*sandbox*/) {
  const std::string_view test = ::testing::UnitTest::GetInstance()->current_test_info()->name();
  if (test == "DISABLED_IsDisturbedInItsSetUp") disturbed = "starved";
  if (test == "DISABLED_HasNoService" || !disturbed.empty()) throw HarnessFailure("the service did not come up");
  return nullptr;
}

}  // namespace

BackendUnderTest backend_under_test() {
  return {
      .name = "inproc",
      .endpoint = "inproc://{sandbox}/{topic}",
      .deviations =
          {
              {.requirement = "TRY-1", .kind = Deviation::Kind::always, .reason = "always wrong"},
              {.requirement = "TRY-2", .kind = Deviation::Kind::may, .reason = "wrong at times"},
              {.requirement = "TRY-3", .kind = Deviation::Kind::always, .reason = "wrong", .test = "DISABLED_Other"},
          },
      .prepare = start_service,
      .disturbance = [] { return disturbed; }};
}

using Tried = ConformanceTest;

namespace {

const Feature refused{"a feature that is refused", [](const Capabilities&) { return false; },
                      [](Node&, const Feature::Endpoints&) -> Status { return failure(ErrorCode::unsupported, "no"); }};
const Feature granted{"a feature that is not promised and yet granted", [](const Capabilities&) { return false; },
                      [](Node&, const Feature::Endpoints&) -> Status { return {}; }};
const Feature wrong_error{
    "a feature that is refused otherwise", [](const Capabilities&) { return false; },
    [](Node&, const Feature::Endpoints&) -> Status { return failure(ErrorCode::not_found, "no"); }};

struct Tries {
  int status;
  std::string verdict;
  std::string reason;
};

// Runs one of the disabled tests below.
Tries try_out(const std::string& promise) {
  const Sandbox outputs;
  const std::string command = fmt::format(
      "TEST_UNDECLARED_OUTPUTS_DIR={0} /proc/{1}/exe --gtest_also_run_disabled_tests --gtest_filter=Tried.DISABLED_{2}"
      " > {0}/out 2>&1",
      outputs.root(), getpid(), promise);
  // Under Bazel the variables of the sharding and of the report are those of the outer test.
  const int status =
      ::system(("unset XML_OUTPUT_FILE TESTBRIDGE_TEST_ONLY TEST_SHARD_STATUS_FILE; " + command).c_str());
  std::ifstream verdicts(outputs.root() + "/verdicts.jsonl");
  std::string line;
  if (!std::getline(verdicts, line)) return {.status = status, .verdict = "none", .reason = ""};
  const auto verdict = nlohmann::json::parse(line);
  EXPECT_EQ(verdict["test"], "DISABLED_" + promise);
  EXPECT_EQ(verdict["backend"], "inproc");
  return {.status = status, .verdict = verdict["verdict"], .reason = verdict["reason"]};
}

}  // namespace

CONFORMANCE_TEST(Tried, DISABLED_Passes, "TRY-0") { peer("peer").publisher(uri("topic")); }
CONFORMANCE_TEST(Tried, DISABLED_Fails, "TRY-0") { ADD_FAILURE() << "wrong"; }
CONFORMANCE_TEST(Tried, DISABLED_Throws, "TRY-0") { must(node().publisher("nothing"), "opening"); }
CONFORMANCE_TEST(Tried, DISABLED_LeavesSomething, "TRY-0") { std::ofstream(sandbox().root() + "/left") << 1; }
CONFORMANCE_TEST(Tried, DISABLED_LeavesAChild, "TRY-0") {
  if (fork() == 0) _exit(0);
}
CONFORMANCE_TEST(Tried, DISABLED_FailsAsDeclared, "TRY-1") { ADD_FAILURE() << "wrong"; }
CONFORMANCE_TEST(Tried, DISABLED_ThrowsAsDeclared, "TRY-1") { must(node().publisher("nothing"), "opening"); }
CONFORMANCE_TEST(Tried, DISABLED_FailsAsDeclaredAndThrowsAtItsEnd, "TRY-1") {
  ADD_FAILURE() << "wrong";
  no_more_nodes = true;
}
CONFORMANCE_TEST(Tried, DISABLED_ThrowsAtItsEnd, "TRY-0") { no_more_nodes = true; }
CONFORMANCE_TEST(Tried, DISABLED_HasNoService, "TRY-1") {}
CONFORMANCE_TEST(Tried, DISABLED_PassesUnexpectedly, "TRY-1") {}
CONFORMANCE_TEST(Tried, DISABLED_MayFailAndDoes, "TRY-2") { ADD_FAILURE() << "wrong"; }
CONFORMANCE_TEST(Tried, DISABLED_MayFailAndDoesNot, "TRY-2") {}
CONFORMANCE_TEST(Tried, DISABLED_IsNotTheTestDeclared, "TRY-3") { ADD_FAILURE() << "wrong"; }
CONFORMANCE_TEST(Tried, DISABLED_IsUnsupported, "TRY-0") {
  if (!has(refused)) GTEST_SKIP() << refusal(refused);
}
CONFORMANCE_TEST(Tried, DISABLED_IsNotPromisedButGranted, "TRY-0") {
  if (!has(granted)) GTEST_SKIP() << refusal(granted);
}
CONFORMANCE_TEST(Tried, DISABLED_IsRefusedWithAnotherError, "TRY-0") {
  if (!has(wrong_error)) GTEST_SKIP() << refusal(wrong_error);
}
CONFORMANCE_TEST(Tried, DISABLED_IsInconclusive, "TRY-0") { INCONCLUSIVE("ptrace is denied"); }
CONFORMANCE_TEST(Tried, DISABLED_FailsDisturbed, "TRY-0") {
  disturbed = "starved";
  ADD_FAILURE() << "wrong";
}
CONFORMANCE_TEST(Tried, DISABLED_PassesDisturbed, "TRY-0") { disturbed = "starved"; }
CONFORMANCE_TEST(Tried, DISABLED_IsDisturbedInItsSetUp, "TRY-0") {}
CONFORMANCE_TEST(Tried, DISABLED_IsDeclaredButUnsupported, "TRY-1") {
  if (!has(refused)) GTEST_SKIP() << refusal(refused);
}

TEST(Fixture, APassIsAPass) {
  const Tries tried = try_out("Passes");
  EXPECT_EQ(tried.status, 0);
  EXPECT_EQ(tried.verdict, "pass");
}

TEST(Fixture, AFailureIsAFailureWithItsReason) {
  for (const char* promise : {"Fails", "Throws", "IsNotTheTestDeclared"}) {
    const Tries tried = try_out(promise);
    EXPECT_NE(tried.status, 0) << promise;
    EXPECT_EQ(tried.verdict, "fail") << promise;
    EXPECT_FALSE(tried.reason.empty()) << promise;
  }
}

TEST(Fixture, LeftoversAreAFailure) {
  const Tries file = try_out("LeavesSomething");
  EXPECT_EQ(file.verdict, "fail");
  EXPECT_NE(file.reason.find("left"), std::string::npos) << file.reason;
  const Tries child = try_out("LeavesAChild");
  EXPECT_EQ(child.verdict, "fail");
  EXPECT_NE(child.reason.find("child"), std::string::npos) << child.reason;
}

TEST(Fixture, WhatTheEndOfATestThrowsIsAFailure) {
  const Tries tried = try_out("ThrowsAtItsEnd");
  EXPECT_NE(tried.status, 0);
  EXPECT_EQ(tried.verdict, "fail");
  EXPECT_NE(tried.reason.find("no more nodes"), std::string::npos) << tried.reason;
}

TEST(Fixture, ASetUpThatFailsIsAFailureWhateverIsDeclared) {
  const Tries tried = try_out("HasNoService");
  EXPECT_NE(tried.status, 0);
  EXPECT_EQ(tried.verdict, "fail");
  EXPECT_NE(tried.reason.find("the service did not come up"), std::string::npos) << tried.reason;
}

TEST(Fixture, AFailureThatIsDeclaredIsAKnownDeviation) {
  for (const char* promise : {"FailsAsDeclared", "ThrowsAsDeclared", "FailsAsDeclaredAndThrowsAtItsEnd"}) {
    const Tries tried = try_out(promise);
    EXPECT_EQ(tried.status, 0) << promise;
    EXPECT_EQ(tried.verdict, "known deviation") << promise;
    EXPECT_EQ(tried.reason, "always wrong") << promise;
  }
}

TEST(Fixture, APassWhereAFailureIsDeclaredIsAFailure) {
  const Tries tried = try_out("PassesUnexpectedly");
  EXPECT_NE(tried.status, 0);
  EXPECT_EQ(tried.verdict, "fail");
}

TEST(Fixture, WhatMayFailMayAlsoPass) {
  EXPECT_EQ(try_out("MayFailAndDoes").verdict, "known deviation");
  EXPECT_EQ(try_out("MayFailAndDoes").status, 0);
  EXPECT_EQ(try_out("MayFailAndDoesNot").verdict, "pass");
  EXPECT_EQ(try_out("MayFailAndDoesNot").status, 0);
}

TEST(Fixture, WhatIsNotPromisedMustBeRefusedAsUnsupported) {
  const Tries tried = try_out("IsUnsupported");
  EXPECT_EQ(tried.status, 0);
  EXPECT_EQ(tried.verdict, "unsupported");
  EXPECT_EQ(try_out("IsDeclaredButUnsupported").verdict, "unsupported");
  EXPECT_EQ(try_out("IsNotPromisedButGranted").verdict, "fail");
  EXPECT_EQ(try_out("IsRefusedWithAnotherError").verdict, "fail");
}

TEST(Fixture, InconclusiveIsNeitherPassNorFailure) {
  const Tries tried = try_out("IsInconclusive");
  EXPECT_EQ(tried.status, 0);
  EXPECT_EQ(tried.verdict, "inconclusive");
  EXPECT_EQ(tried.reason, "ptrace is denied");
}

TEST(Fixture, AFailureOfATestThatTheMachineDisturbedIsInconclusive) {
  const Tries failed = try_out("FailsDisturbed");
  EXPECT_EQ(failed.status, 0);
  EXPECT_EQ(failed.verdict, "inconclusive");
  EXPECT_EQ(failed.reason, "starved");
  const Tries not_set_up = try_out("IsDisturbedInItsSetUp");
  EXPECT_EQ(not_set_up.status, 0);
  EXPECT_EQ(not_set_up.verdict, "inconclusive");
  EXPECT_EQ(not_set_up.reason, "starved, and the set-up failed: the service did not come up");
  EXPECT_EQ(try_out("PassesDisturbed").verdict, "pass");
}

}  // namespace weir::conformance
