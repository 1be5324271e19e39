// The hook of log.h by itself; what the transport tells is judged in transport/shm/log_test.cc.
#include "transport/log.h"

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "transport/version.h"

namespace weir {
namespace {

class Log : public ::testing::Test {
 protected:
  ~Log() override { set_log({}); }
};

TEST_F(Log, WithoutAHookNobodyIsAskedForATextAndNothingIsPrinted) {
  unsetenv("WEIR_LOG");
  ::testing::internal::CaptureStderr();
  bool asked = false;
  spi::log(Severity::warning, "camera", [&] {
    asked = true;
    return std::string("text");
  });
  EXPECT_FALSE(asked);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST_F(Log, HookGetsSeverityTopicAndText) {
  std::string got;
  set_log([&](const LogRecord& record) {
    got = std::string(to_string(record.severity)) + '|' + std::string(record.topic) + '|' + std::string(record.text);
  });
  spi::log(Severity::warning, "camera", [] { return std::string("a segment is damaged"); });
  EXPECT_EQ(got, "warning|camera|a segment is damaged");
}

TEST_F(Log, LastHookCountsAndAnEmptyOneEndsIt) {
  int former = 0;
  int present = 0;
  set_log([&](const LogRecord&) { ++former; });
  set_log([&](const LogRecord&) { ++present; });
  spi::log(Severity::info, "", "one");
  set_log({});
  spi::log(Severity::info, "", "two");
  EXPECT_EQ(former, 0);
  EXPECT_EQ(present, 1);
}

TEST_F(Log, WhatTheHookThrowsIsDropped) {
  int calls = 0;
  set_log([&](const LogRecord&) {
    ++calls;
    throw std::runtime_error("no room");
  });
  spi::log(Severity::info, "camera", "one");
  spi::log(Severity::info, "camera", "two");
  EXPECT_EQ(calls, 2);
}

TEST_F(Log, HookThatCausesARecordIsNotCalledForIt) {
  int calls = 0;
  set_log([&](const LogRecord&) {
    ++calls;
    spi::log(Severity::warning, "camera", "from within");
  });
  spi::log(Severity::info, "camera", "from without");
  EXPECT_EQ(calls, 1);
}

TEST_F(Log, ThreadsLogWhileHooksChange) {
  constexpr int threads = 4;
  constexpr int records = 2'000;
  std::atomic<int> calls = 0;
  const auto count = [&](const LogRecord&) { ++calls; };
  set_log(count);
  {
    std::vector<std::jthread> loggers;
    for (int thread = 0; thread < threads; ++thread) {
      loggers.emplace_back([] {
        for (int record = 0; record < records; ++record) spi::log(Severity::info, "camera", "text");
      });
    }
    for (int change = 0; change < 100; ++change) set_log(count);
  }
  EXPECT_EQ(calls, threads * records);
}

// Each in a process of its own, as the variable is read once.
void log_both_and_exit() {
  spi::log(Severity::info, "", "for the curious");
  spi::log(Severity::warning, "camera", "for everybody");
  std::exit(0);
}

using LogDeathTest = Log;

TEST_F(LogDeathTest, EnvironmentSendsWarningsToStderr) {
  EXPECT_EXIT(setenv("WEIR_LOG", "warning", 1);
              log_both_and_exit(), ::testing::ExitedWithCode(0), "^weir: warning: topic \"camera\": for everybody\n$");
}

TEST_F(LogDeathTest, EnvironmentSendsEverythingToStderr) {
  EXPECT_EXIT(setenv("WEIR_LOG", "info", 1);
              log_both_and_exit(), ::testing::ExitedWithCode(0),
              "^weir: info: for the curious\nweir: warning: topic \"camera\": for everybody\n$");
}

TEST(Version, OfTheLibraryIsThatOfItsHeaders) { EXPECT_EQ(version(), WEIR_VERSION); }

}  // namespace
}  // namespace weir
