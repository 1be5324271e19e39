#include "transport/shm/janitor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "transport/shm/lock.h"
#include "transport/shm/root.h"
#include "transport/shm/test_janitor.h"
#include "transport/shm/test_processes.h"

namespace weir::shm {
namespace {

using ::weir::shm::testing::Child;
using ::weir::shm::testing::DescriptorLimit;
using ::weir::shm::testing::first_id;
using ::weir::shm::testing::JanitorTest;
using ::weir::shm::testing::kill_at_each_system_call;
using ::weir::shm::testing::Names;
using ::weir::shm::testing::publisher;
using ::weir::shm::testing::second_id;
using ::weir::shm::testing::Signal;
using ::weir::shm::testing::subscriber;

TEST_F(JanitorTest, LivingOwnerKeepsItsSegment) {
  make_segment(publisher);
  const Lock owner = live_as(publisher);
  const Names before = names();
  EXPECT_FALSE(remove(publisher));
  clean();
  EXPECT_EQ(names(), before);
}

TEST_F(JanitorTest, DeadSegmentGoesWithItsCompanionsAndTakesNobodyElses) {
  make_segment(subscriber);
  const Lock owner = live_as(subscriber);
  const Names before = names();
  make_segment(publisher);
  EXPECT_TRUE(remove(publisher));
  EXPECT_EQ(names(), before);
  EXPECT_TRUE(remove(publisher)) << "what is gone is gone";
}

TEST_F(JanitorTest, DeadPublishersSegmentStaysWhileSomebodyReadsIt) {
  make_segment(publisher);
  const Names before = names();
  {
    const Lock reader = lock(segment_name(Role::publisher, first_id), readers_byte, LockKind::shared);
    EXPECT_FALSE(remove(publisher));
    EXPECT_EQ(names(), before);
  }
  EXPECT_TRUE(remove(publisher));
}

// What it sent may be wanted, though the subscriber does not hold the readers' lock yet.
TEST_F(JanitorTest, DeadPublishersSegmentStaysUntilEveryLivingSubscriberHasListedIt) {
  PublisherHeader sender{};
  sender.born = 5;
  make_segment(publisher);
  write(publisher, sender);
  SubscriberHeader listener{};
  make_segment(subscriber);
  {
    const Lock owner = live_as(subscriber);
    listener.stage = static_cast<std::uint32_t>(Stage::joined);
    listener.listed = 4;
    write(subscriber, listener);
    EXPECT_FALSE(remove(publisher));
    clean();
    for (int descriptors = 0; descriptors < 3; ++descriptors) {
      const DescriptorLimit limit(descriptors);
      EXPECT_FALSE(remove(publisher)) << descriptors;
    }
    EXPECT_EQ(parse_segment_name(names().at(1))->id, first_id);

    listener.stage = static_cast<std::uint32_t>(Stage::joining);  // it will start after what is there
    write(subscriber, listener);
    EXPECT_TRUE(remove(publisher));

    make_segment(publisher);
    write(publisher, sender);
    listener.stage = static_cast<std::uint32_t>(Stage::joined);
    listener.listed = 5;
    write(subscriber, listener);
    EXPECT_TRUE(remove(publisher));

    make_segment(publisher);
    write(publisher, sender);
    listener.listed = 4;
    write(subscriber, listener);
    EXPECT_FALSE(remove(publisher));
  }
  EXPECT_TRUE(remove(publisher)) << "a dead subscriber wants nothing";
}

TEST_F(JanitorTest, KilledOwnerIsCleanedAwayAtOnce) {
  make_segment(publisher);
  Signal alive;
  Child owner([&] {
    const Lock life = live_as(publisher);
    alive.give();
    pause();
    return static_cast<bool>(life);
  });
  ASSERT_TRUE(alive.await());
  EXPECT_FALSE(remove(publisher));
  owner.kill_and_reap();
  clean();
  EXPECT_EQ(names(), (Names{epoch_file, topic_file}));
}

TEST_F(JanitorTest, DeadSleeperIsTakenOffTheCount) {
  make_segment(subscriber);
  count_as_sleeper(subscriber);
  counters.sleepers = 3;
  EXPECT_TRUE(remove(subscriber));
  EXPECT_EQ(counters.sleepers, 2U);
  EXPECT_TRUE(remove(subscriber));
  EXPECT_EQ(counters.sleepers, 2U) << "was taken off twice";
}

TEST_F(JanitorTest, WhatWasNotCountedIsNotTakenOff) {
  counters.sleepers = 3;
  make_segment(subscriber);  // not counted
  EXPECT_TRUE(remove(subscriber));
  make_segment(subscriber);
  count_as_sleeper(subscriber, publisher_magic);  // not a subscriber's header
  EXPECT_TRUE(remove(subscriber));
  make_segment(publisher);
  count_as_sleeper(publisher);  // a publisher sleeps elsewhere
  EXPECT_TRUE(remove(publisher));
  make(segment_name(Role::subscriber, second_id), 100);  // too short to say
  EXPECT_TRUE(remove(subscriber));
  EXPECT_EQ(counters.sleepers, 3U);
}

TEST_F(JanitorTest, ScribbledCountDoesNotWrap) {
  make_segment(subscriber);
  count_as_sleeper(subscriber);
  EXPECT_TRUE(remove(subscriber));
  EXPECT_EQ(counters.sleepers, 0U);
}

TEST_F(JanitorTest, CompanionsWithoutASegmentGo) {
  make(chunk_file_name(first_id, 3));
  make(life_name(Role::subscriber, second_id));
  clean();
  EXPECT_EQ(names(), (Names{epoch_file, topic_file}));
}

TEST_F(JanitorTest, FilesThatAreNotOursStayAndWithThemTheDirectory) {
  make("notes.txt");
  make("p.5f0c93a1d2e4b687.backup");
  make_segment(publisher);
  clean();
  EXPECT_EQ(names(), (Names{epoch_file, "notes.txt", "p.5f0c93a1d2e4b687.backup", topic_file}));
  EXPECT_FALSE(remove_topic_if_unused(root.descriptor(), "topic"));
  EXPECT_EQ(names(), (Names{"notes.txt", "p.5f0c93a1d2e4b687.backup"}));
}

TEST_F(JanitorTest, WhatHasASegmentsNameButIsNoneNeitherBlocksNorLeadsElsewhere) {
  make("notes.txt");
  const std::string name = segment_name(Role::publisher, first_id);
  ASSERT_EQ(symlinkat("notes.txt", directory.get(), name.c_str()), 0);
  EXPECT_TRUE(remove(publisher));
  ASSERT_EQ(mkfifoat(directory.get(), name.c_str(), 0600), 0);
  EXPECT_TRUE(remove(publisher));
  EXPECT_EQ(names(), (Names{epoch_file, "notes.txt", topic_file}));
  ASSERT_EQ(mkdirat(directory.get(), name.c_str(), 0700), 0);
  EXPECT_FALSE(remove(publisher));
  EXPECT_FALSE(remove_topic_if_unused(root.descriptor(), "topic"));
}

TEST_F(JanitorTest, KilledAnywhereTheNextOneFinishesTheSegmentAndNoSleeperIsMissed) {
  const auto page_file = make_unnamed(root.descriptor(), page, "making");
  ASSERT_TRUE(page_file);
  const auto memory = Mapping::of(*page_file, page, Access::write, Fork::keeps, "mapping");
  ASSERT_TRUE(memory);
  auto& shared = *reinterpret_cast<SharedCounters*>(memory->data());
  const std::string segment = segment_name(subscriber.role, subscriber.id);
  const int kills = kill_at_each_system_call({
      .prepare =
          [&] {
            make_segment(subscriber);
            count_as_sleeper(subscriber);
            shared.sleepers = 2;  // the dead one, and a living
          },
      .body = [&] { remove_segment_if_dead(directory.get(), subscriber, shared); },
      .judge =
          [&] {
            const bool is_left = faccessat(directory.get(), segment.c_str(), F_OK, 0) == 0;
            EXPECT_GE(shared.sleepers, is_left ? 2U : 1U);
            EXPECT_TRUE(is_left || names() == (Names{epoch_file, topic_file})) << "a companion outlasts its segment";
            clean_topic(directory.get(), shared);
            EXPECT_EQ(names(), (Names{epoch_file, topic_file}));
            EXPECT_GE(shared.sleepers, 1U) << "a living sleeper would not be woken";
          },
  });
  EXPECT_GT(kills, 10);
}

}  // namespace
}  // namespace weir::shm
