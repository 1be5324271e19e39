#include "examples/quickstart/verdict.h"

#include <string>

#include <gtest/gtest.h>

namespace quickstart {
namespace {

Verdict good() {
  Verdict verdict;
  verdict.published = {.messages = 10, .bytes = 1000, .checksum = 0x1234};
  verdict.how_fast = "1.00 s, 1 MB/s";
  Outcome outcome;
  outcome.name = "lossless";
  outcome.policy = "lossless";
  outcome.account.messages = 10;
  outcome.account.bytes = 1000;
  outcome.account.next = 10;
  outcome.account.checksum = 0x1234;
  outcome.expected.lossless = true;
  outcome.expected.whole_file = true;
  verdict.outcomes.push_back(outcome);
  return verdict;
}

bool says(const Verdict& verdict, const std::string& what) { return verdict.text().find(what) != std::string::npos; }

TEST(Verdict, HoldsIfAllDoes) {
  EXPECT_TRUE(good().holds());
  EXPECT_TRUE(says(good(), "\nAll of it held.\n")) << good().text();
  EXPECT_FALSE(says(good(), "BROKEN"));
}

TEST(Verdict, OneSubscriberWithABrokenPromiseIsEnough) {
  Verdict verdict = good();
  verdict.outcomes.push_back(verdict.outcomes.front());
  verdict.outcomes.back().account.different = 1;
  EXPECT_FALSE(verdict.holds());
  EXPECT_TRUE(says(verdict, "BROKEN")) << verdict.text();
  EXPECT_TRUE(says(verdict, "NOT all of it held."));
}

TEST(Verdict, OneThingLeftBehindIsEnough) {
  Verdict verdict = good();
  verdict.leftovers.emplace_back("/dev/shm/something");
  EXPECT_FALSE(verdict.holds());
  EXPECT_TRUE(says(verdict, "/dev/shm/something"));
  EXPECT_FALSE(says(verdict, "nothing: no topic"));
}

TEST(Verdict, OneBrokenPromiseToThePublisherIsEnough) {
  Verdict verdict = good();
  verdict.broken.emplace_back("the publisher was not told");
  EXPECT_FALSE(verdict.holds());
  EXPECT_TRUE(says(verdict, "the publisher was not told"));
}

}  // namespace
}  // namespace quickstart
