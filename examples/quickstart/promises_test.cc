#include "examples/quickstart/promises.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace quickstart {
namespace {

using weir::Capabilities;

Capabilities all() {
  Capabilities all;
  all.across_processes = true;
  all.user_header = true;
  all.sequence = true;
  all.exact_loss = true;
  all.lossless_block = true;
  all.drop_oldest = true;
  all.membership = weir::MembershipView::full;
  return all;
}

TEST(Promises, EachThatIsMissingIsNamed) {
  const std::vector<std::pair<std::string, std::function<void(Capabilities&)>>> cases{
      {"across_processes", [](Capabilities& some) { some.across_processes = false; }},
      {"user_header", [](Capabilities& some) { some.user_header = false; }},
      {"user_header", [](Capabilities& some) { some.max_header = 8; }},
      {"sequence", [](Capabilities& some) { some.sequence = false; }},
      {"exact_loss", [](Capabilities& some) { some.exact_loss = false; }},
      {"lossless_block", [](Capabilities& some) { some.lossless_block = false; }},
      {"drop_oldest or drop_newest", [](Capabilities& some) { some.drop_oldest = false; }},
      {"membership", [](Capabilities& some) { some.membership = weir::MembershipView::none; }},
  };
  for (const auto& [promise, take_away] : cases) {
    Capabilities some = all();
    take_away(some);
    const auto measures = measures_for("other://topic", some);
    ASSERT_FALSE(measures) << promise;
    EXPECT_EQ(measures.error().code(), weir::ErrorCode::unsupported);
    EXPECT_NE(measures.error().message().find(promise), std::string::npos) << measures.error().message();
    EXPECT_NE(measures.error().message().find("other://topic"), std::string::npos) << measures.error().message();
  }
}

TEST(Promises, AllThatAreMissingAreNamedAtOnce) {
  const auto measures = measures_for("other://topic", Capabilities());
  ASSERT_FALSE(measures);
  EXPECT_NE(measures.error().message().find("across_processes"), std::string::npos);
  EXPECT_NE(measures.error().message().find("membership"), std::string::npos);
}

TEST(Promises, WithoutDropOldestTheSlowOneDropsTheNewest) {
  Capabilities some = all();
  some.drop_oldest = false;
  some.drop_newest = true;
  EXPECT_EQ(measures_for("other://topic", some)->slow_policy, weir::SlowPolicy::drop_newest);
}

TEST(Promises, LimitsAreKept) {
  Capabilities some = all();
  some.max_depth = 10;
  some.max_history = 4;
  const auto measures = measures_for("other://topic", some);
  EXPECT_LE(std::max({measures->slow_depth, measures->lossless_depth, measures->late_depth}), 10U);
  EXPECT_EQ(measures->history, 4U);
  some.max_history = 0;
  EXPECT_EQ(measures_for("other://topic", some)->history, 0U);
}

}  // namespace
}  // namespace quickstart
