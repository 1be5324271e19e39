#include "conformance/history/check.h"

#include <initializer_list>
#include <vector>

#include <gtest/gtest.h>

namespace weir::conformance {
namespace {

constexpr PeerId first = 0xa;
constexpr PeerId second = 0xb;

Event taken(std::uint64_t sequence, std::uint64_t lost_before = 0, PeerId publisher = first) {
  return {.kind = EventKind::taken, .peer = publisher, .sequence = sequence, .lost_before = lost_before, .size = 8};
}
Event of(EventKind kind, std::uint64_t sequence, PeerId publisher = first) {
  return {.kind = kind, .peer = publisher, .sequence = sequence, .size = 8};
}
using Log = std::vector<Event>;

TEST(CheckOrder, AcceptsSequencesThatRiseForEachPublisher) {
  EXPECT_TRUE(check_order(Log{}).empty());
  EXPECT_TRUE(check_order(Log{taken(0), taken(5, 0, second), taken(1), taken(7), taken(6, 0, second)}).empty());
}

TEST(CheckOrder, FindsAStepBackAndARepetition) {
  EXPECT_EQ(check_order(Log{taken(0), taken(2), taken(1)}).size(), 1U);
  EXPECT_EQ(check_order(Log{taken(3), taken(3)}).size(), 1U);
  EXPECT_EQ(check_order(Log{taken(3), taken(9, 0, second), taken(3)}).size(), 1U);
}

TEST(CheckOrder, DoesNotJudgeSamplesThatCannotBeToldApart) {
  constexpr PeerId unknown = 0;
  EXPECT_TRUE(check_order(Log{taken(~0ULL, 0, unknown), taken(3), taken(~0ULL, 0, unknown), taken(4)}).empty());
}

TEST(CheckContent, FindsEveryFaultWhenTakenAndWhenReleased) {
  EXPECT_TRUE(check_content(Log{taken(0), of(EventKind::released, 0)}).empty());
  for (const std::uint32_t fault :
       {payload_fault, header_fault, origin_fault, number_fault, alignment_fault, time_fault}) {
    for (const EventKind kind : {EventKind::taken, EventKind::released}) {
      Event event = of(kind, 0);
      event.faults = fault;
      EXPECT_EQ(check_content(Log{event}).size(), 1U) << fault;
    }
  }
  Event both = taken(0);
  both.faults = payload_fault | header_fault;
  EXPECT_EQ(check_content(Log{both}).size(), 2U);
}

TEST(CheckLosses, AcceptsGapsThatAreAnnounced) {
  EXPECT_TRUE(check_losses(Log{taken(7, 7), taken(8), taken(12, 3), taken(0, 0, second), taken(13)}).empty());
}

TEST(CheckLosses, FindsAGapNotAnnouncedAndALossThatWasNone) {
  EXPECT_EQ(check_losses(Log{taken(0), taken(2)}).size(), 1U);
  EXPECT_EQ(check_losses(Log{taken(0), taken(2, 2)}).size(), 1U);
  EXPECT_EQ(check_losses(Log{taken(0), taken(1, 1)}).size(), 1U);
}

TEST(CheckWakes, FindsAWakeForNothing) {
  EXPECT_TRUE(check_wakes(Log{of(EventKind::woke, 0), taken(0)}).empty());
  EXPECT_EQ(check_wakes(Log{of(EventKind::woke_for_nothing, 0)}).size(), 1U);
}

TEST(CheckRange, AcceptsWhatWasReceivedOrAnnouncedFromEndToEnd) {
  EXPECT_TRUE(check_range(Log{}, first, 3, 3).empty());
  EXPECT_TRUE(check_range(Log{taken(5, 2), taken(6), taken(0, 0, second), taken(9, 2)}, first, 3, 10).empty());
}

TEST(CheckRange, FindsALossAtTheBeginningInTheMiddleAndAtTheEnd) {
  EXPECT_EQ(check_range(Log{taken(4), taken(5)}, first, 3, 6).size(), 1U);
  EXPECT_EQ(check_range(Log{taken(3), taken(5)}, first, 3, 6).size(), 1U);
  EXPECT_EQ(check_range(Log{taken(3), taken(4)}, first, 3, 6).size(), 1U);
  EXPECT_EQ(check_range(Log{}, first, 3, 6).size(), 1U);
}

TEST(CheckRange, FindsMoreThanWasToCome) {
  EXPECT_EQ(check_range(Log{taken(2), taken(3)}, first, 3, 4).size(), 1U);
  EXPECT_EQ(check_range(Log{taken(3), taken(4)}, first, 3, 4).size(), 1U);
  EXPECT_EQ(check_range(Log{taken(5, 4)}, first, 3, 6).size(), 1U);
}

TEST(CheckSeam, AcceptsTheNewestOfAnyMomentOfTheJoin) {
  for (const std::uint64_t start : {7U, 8U, 9U, 10U}) {
    EXPECT_TRUE(check_seam(Log{taken(start)}, first, 3, 10, 13).empty()) << start;
  }
  EXPECT_TRUE(check_seam(Log{taken(12, 4)}, first, 3, 10, 13).empty());  // lost since it joined, and announced
  EXPECT_TRUE(check_seam(Log{taken(0)}, first, 3, 0, 2).empty());
}

TEST(CheckSeam, FindsTooMuchTooLittleAndNothing) {
  EXPECT_EQ(check_seam(Log{taken(6)}, first, 3, 10, 13).size(), 1U);
  EXPECT_EQ(check_seam(Log{taken(11)}, first, 3, 10, 13).size(), 1U);
  EXPECT_EQ(check_seam(Log{taken(1)}, first, 3, 0, 2).size(), 1U);
  EXPECT_EQ(check_seam(Log{taken(7, 0, second)}, first, 3, 10, 13).size(), 1U);
}

TEST(CheckNumbers, WhatWasHeldBackSpendsNone) {
  EXPECT_TRUE(check_numbers(Log{of(EventKind::published, 0), of(EventKind::held_back, 1), of(EventKind::dropped, 1),
                                of(EventKind::published, 1)})
                  .empty());
  EXPECT_EQ(
      check_numbers(Log{of(EventKind::published, 0), of(EventKind::held_back, 1), of(EventKind::published, 2)}).size(),
      1U);
  EXPECT_EQ(check_numbers(Log{of(EventKind::published, 1)}).size(), 1U);
}

TEST(CheckOrigin, AcceptsWhatWasPublishedOrMayHaveBeen) {
  const Log sent{of(EventKind::publishing, 0), of(EventKind::published, 0), of(EventKind::publishing, 1),
                 of(EventKind::held_back, 1), of(EventKind::publishing, 1)};
  EXPECT_TRUE(check_origin(Log{taken(0), taken(1)}, sent).empty());
}

TEST(CheckOrigin, FindsWhatWasInventedHeldBackOrCut) {
  const Log sent{of(EventKind::publishing, 0), of(EventKind::published, 0), of(EventKind::publishing, 1),
                 of(EventKind::held_back, 1)};
  EXPECT_EQ(check_origin(Log{taken(1)}, sent).size(), 1U);
  EXPECT_EQ(check_origin(Log{taken(2)}, sent).size(), 1U);
  EXPECT_EQ(check_origin(Log{taken(0, 0, second)}, sent).size(), 1U);
  Event cut = taken(0);
  cut.size = 7;
  EXPECT_EQ(check_origin(Log{cut}, sent).size(), 1U);
}

TEST(CheckAccepted, FindsEveryAcceptedSampleThatNeverCame) {
  const Log sent{of(EventKind::published, 0), of(EventKind::published, 1), of(EventKind::publishing, 2)};
  EXPECT_TRUE(check_accepted(Log{taken(0), taken(1)}, sent, 0).empty());
  EXPECT_TRUE(check_accepted(Log{taken(1)}, sent, 1).empty());
  EXPECT_EQ(check_accepted(Log{taken(1)}, sent, 0).size(), 1U);
  EXPECT_EQ(check_accepted(Log{taken(0, 0, second)}, sent, 0).size(), 2U);
}

TEST(Filters, ChoosePortsKindsAndPublishers) {
  Event other_port = taken(3);
  other_port.port = 4;
  const Log log{taken(0), other_port, taken(1, 0, second), of(EventKind::closed, 0)};
  EXPECT_EQ(of_port(log, 4).size(), 1U);
  EXPECT_EQ(of_kind(log, EventKind::taken).size(), 3U);
  EXPECT_EQ(taken_from(log, first).size(), 2U);
  EXPECT_EQ(publishers_of(log), (std::vector<PeerId>{first, second}));
}

}  // namespace
}  // namespace weir::conformance
