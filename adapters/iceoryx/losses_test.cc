// What is counted as lost, and of which publishers.
#include "adapters/iceoryx/losses.h"

#include <optional>

#include <gtest/gtest.h>

namespace weir::iceoryx {
namespace {

constexpr std::uint64_t subscriber = 100;

std::optional<std::uint64_t> no_note() { return std::nullopt; }

TEST(Losses, AreTheGapsOfEachPublisher) {
  Losses losses(subscriber);
  EXPECT_EQ(losses.before(101, 0, no_note), 0U);
  EXPECT_EQ(losses.before(102, 3, no_note), 3U) << "one that came later has lost all before its first";
  EXPECT_EQ(losses.before(101, 5, no_note), 4U);
  EXPECT_EQ(losses.before(102, 4, no_note), 0U);
}

TEST(Losses, OfAPublisherThatWasThereBeforeBeginAtTheNoteAndWithoutOneAtTheFirstSample) {
  Losses losses(subscriber);
  EXPECT_EQ(losses.before(1, 1'000, no_note), 0U);
  EXPECT_EQ(losses.before(2, 1'000, [] { return std::optional<std::uint64_t>(990); }), 10U);
}

// The note of a chunk names where the newest subscriber joined. One that joined at 10, and takes its first after
// another joined at 20, learns of 5 of its 15: too few, never too many. docs/iceoryx.md says so.
TEST(Losses, BeforeTheFirstSampleAreTooFewIfAnotherHasJoinedMeanwhile) {
  Losses losses(subscriber);
  EXPECT_EQ(losses.before(1, 25, [] { return std::optional<std::uint64_t>(20); }), 5U);
}

TEST(Losses, AreExactForAPublisherThatGoesOnWhileThousandsComeAndGo) {
  Losses losses(subscriber);
  std::uint64_t sequence = 0;
  EXPECT_EQ(losses.before(101, sequence++, no_note), 0U);
  for (std::uint64_t other = 1'000; other < 6'000; ++other) {
    ASSERT_EQ(losses.before(other, 0, no_note), 0U);
    if (other % 100 == 0) {
      ASSERT_EQ(losses.before(101, sequence, no_note), 0U) << "after " << other;
      ++sequence;
    }
  }
  EXPECT_EQ(losses.before(101, sequence + 7, no_note), 7U);
}

TEST(Losses, AreNotClaimedOfAPublisherThatWasForgotten) {
  Losses losses(subscriber);
  for (std::uint64_t sequence = 0; sequence < 1'000'000; ++sequence) {
    ASSERT_EQ(losses.before(101, sequence, no_note), 0U);
    ASSERT_EQ(losses.before(102, sequence, no_note), 0U);
  }
  for (std::uint64_t other = 1'000; other < 3'000; ++other) ASSERT_EQ(losses.before(other, 0, no_note), 0U);
  EXPECT_EQ(losses.before(101, 1'000'000, no_note), 0U);
  EXPECT_EQ(losses.before(101, 1'000'002, no_note), 1U) << "from then on they are counted again";
  EXPECT_EQ(losses.before(102, 1'000'000, [] { return std::optional<std::uint64_t>(0); }), 0U);
}

}  // namespace
}  // namespace weir::iceoryx
